package io.headgate.client;

import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.ScriptedGateway.send;
import static io.headgate.client.SubscribeTest.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.headgate.v1.DescribeLogRequest;
import io.headgate.v1.EventServiceGrpc;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeadgateTest {
  private static final Subscription EVERYTHING = Subscription.builder().startAtEarliest().build();

  @TempDir Path folder;

  @Test
  void addressWithoutPortIsRefused() {
    for (String address : List.of("", "gateway", "::1", "gateway:x")) {
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Headgate.connect(address), address);
      assertTrue(e.getMessage().contains("host:port"), e.getMessage());
    }
  }

  @Test
  void tokenIsSentToThisMachine() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(0)));
        Headgate client = Headgate.builder(gateway.address()).token("s3cret").connect()) {
      read(client, EVERYTHING);
      assertEquals(List.of("Bearer s3cret"), gateway.tokens);
    }
  }

  /** LOCALHOST is this machine in a spelling that the client does not take for it. */
  @Test
  void tokenIsNotSentUnencryptedToAnotherMachine() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(0)))) {
      String other = gateway.address().replace("127.0.0.1", "LOCALHOST");
      try (Headgate client = Headgate.builder(other).token("s3cret").tls(InsecureChannelCredentials.create()).connect()) {
        HeadgateException e = assertThrows(HeadgateException.class, () -> read(client, EVERYTHING));
        assertEquals(Status.Code.UNAUTHENTICATED, e.code());
        assertTrue(e.getMessage().contains("unencrypted") && !e.getMessage().contains("s3cret"), e.getMessage());
      }
      assertEquals(List.of(), gateway.tokens);
    }
  }

  @Test
  void tokenIsSentOverTls() throws Exception {
    KeyStore store = selfSigned();
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, "changeit".toCharArray());
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    try (ScriptedGateway gateway = new ScriptedGateway(TlsServerCredentials.newBuilder().keyManager(keys.getKeyManagers()).build(), send(caughtUp(0)));
        Headgate client = Headgate.builder(gateway.address()).token("s3cret")
            .tls(TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).build()).connect()) {
      read(client, EVERYTHING);
      assertEquals(List.of("Bearer s3cret"), gateway.tokens);
    }
  }

  @Test
  void channelServesTheGeneratedStubs() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(0)));
        Headgate client = Headgate.builder(gateway.address()).token("s3cret").connect()) {
      StatusRuntimeException e = assertThrows(StatusRuntimeException.class,
          () -> EventServiceGrpc.newBlockingStub(client.channel()).describeLog(DescribeLogRequest.getDefaultInstance()));
      assertEquals(Status.Code.UNIMPLEMENTED, HeadgateException.of(e).code());
      assertEquals(List.of("Bearer s3cret"), gateway.tokens);
    }
    assertEquals(Status.Code.UNKNOWN, HeadgateException.of(new IllegalStateException("none of gRPC's")).code());
  }

  private KeyStore selfSigned() throws Exception {
    Path file = folder.resolve("gateway.p12");
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    Process made = new ProcessBuilder(keytool.toString(), "-genkeypair", "-alias", "gateway", "-keyalg", "EC", "-dname", "CN=gateway", "-ext",
        "san=ip:127.0.0.1", "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", "changeit").inheritIO().start();
    assertEquals(0, made.waitFor());
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, "changeit".toCharArray());
    }
    KeyStore trusting = KeyStore.getInstance("PKCS12");
    trusting.load(null, null);
    trusting.setKeyEntry("gateway", store.getKey("gateway", "changeit".toCharArray()), "changeit".toCharArray(), store.getCertificateChain("gateway"));
    trusting.setCertificateEntry("root", store.getCertificate("gateway"));
    return trusting;
  }
}
