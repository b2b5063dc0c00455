package io.headgate.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The real gateway, in a process of its own. HEADGATED in the environment names its program, or else the first test builds it; without
 * Go these tests are skipped. */
final class Gateway implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("(webhook|grpc) (127[.]0[.]0[.]1:[0-9]+)");
  private static Path program; // guarded by the class

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;
  private String webhook;
  private String grpc;

  /** Starts one with its log in the folder. */
  Gateway(Path folder, String grpc) throws Exception {
    process = new ProcessBuilder(built().toString(), "--dev", "--data-dir", folder.toString(), "--listen-webhook", "127.0.0.1:0", "--listen-api",
        "127.0.0.1:0", "--listen-admin", "127.0.0.1:0", "--listen-grpc", grpc).redirectErrorStream(true).start();
    BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); this.grpc == null; line = out.readLine()) {
      if (line == null) {
        throw new IOException("the gateway did not start");
      }
      take(line);
    }
    Thread drain = new Thread(() -> out.lines().forEach(line -> {}));
    drain.setDaemon(true);
    drain.start();
  }

  Gateway(Path folder) throws Exception {
    this(folder, own());
  }

  /** An address that nobody is given by the system: while a gateway is away that comes back, somebody else would take it. */
  private static String own() throws IOException {
    for (int tries = 0; tries < 100; tries++) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 30_000);
      try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
        return "127.0.0.1:" + free.getLocalPort();
      } catch (BindException e) {
        continue; // taken
      }
    }
    throw new IOException("there is no free port");
  }

  String address() {
    return grpc;
  }

  /** Posts the change of a record from first to last. */
  void post(int first, int last) throws Exception {
    for (int n = first; n <= last; n++) {
      String body = String.format("{\"EventId\":\"00000000-0000-4000-0000-%012d\",\"Timestamp\":\"2026-01-02T03:04:05Z\",\"Changes\":[\"updated\"],"
          + "\"Event\":\"contact.changed\",\"PrimaryKey\":%d,\"Entity\":\"contact\",\"ContextIdentifier\":\"Cust26759\",\"ChangedByAssociateId\":5,"
          + "\"WebhookName\":\"test\"}", n, n);
      HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + webhook + "/webhooks/superoffice/dev")).header("Content-Type", "application/json")
          .POST(HttpRequest.BodyPublishers.ofString(body)).build();
      assertEquals(200, http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode());
    }
  }

  /** Ends it as kill -9 does. */
  void kill() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    kill();
  }

  private void take(String line) {
    for (Matcher found = ADDRESS.matcher(line); found.find(); ) {
      if (found.group(1).equals("webhook")) {
        webhook = found.group(2);
      } else {
        grpc = found.group(2);
      }
    }
  }

  private static synchronized Path built() throws Exception {
    if (program != null) {
      return program;
    }
    if (System.getenv("HEADGATED") != null) {
      program = Path.of(System.getenv("HEADGATED"));
      return program;
    }
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("go.mod"))) {
      root = root.getParent();
    }
    Path target = Path.of("target", "headgated").toAbsolutePath();
    assumeTrue(runs(root, "go", "version"), "Go is not installed");
    assertEquals(true, runs(root, "go", "build", "-o", target.toString(), "./server/cmd/headgated"), "the gateway does not build");
    program = target;
    return program;
  }

  private static boolean runs(Path folder, String... words) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      return process.waitFor(5, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (IOException e) {
      return false; // there is no such program
    }
  }
}
