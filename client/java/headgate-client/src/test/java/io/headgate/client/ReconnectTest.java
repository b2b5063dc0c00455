package io.headgate.client;

import static io.headgate.client.Responses.batch;
import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.Responses.closing;
import static io.headgate.client.Responses.cursor;
import static io.headgate.client.Responses.gap;
import static io.headgate.client.Responses.retryAfter;
import static io.headgate.client.Responses.started;
import static io.headgate.client.ScriptedGateway.send;
import static io.headgate.client.ScriptedGateway.sendAndFail;
import static io.headgate.client.ScriptedGateway.sendAndHold;
import static io.headgate.client.SubscribeTest.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.headgate.v1.Closing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class ReconnectTest {
  @Test
  void connectionIsMadeAgain() throws Exception {
    Map<String, ScriptedGateway.Script> ends = new LinkedHashMap<>();
    ends.put("the gateway ended the stream", send(started(0), batch(1, 2)));
    ends.put("the gateway is stopping", send(started(0), batch(1, 2), closing(2, Closing.Reason.REASON_DRAINING)));
    ends.put("the gateway ended the stream for reason 99",
        send(started(0), batch(1, 2), Responses.at(2).setClosing(Closing.newBuilder().setReasonValue(99)).build()));
    ends.put("the gateway was silent for two heartbeats", sendAndHold(started(0, 50), batch(1, 2)));
    ends.put("DRAINING: in words", sendAndFail(retryAfter(Status.Code.UNAVAILABLE, Reasons.DRAINING, 1), started(0), batch(1, 2)));
    ends.put("LIMIT: in words", sendAndFail(retryAfter(Status.Code.RESOURCE_EXHAUSTED, Reasons.LIMIT, 1), started(0), batch(1, 2)));
    ends.put("INTERNAL: RST_STREAM", sendAndFail(Status.INTERNAL.withDescription("RST_STREAM").asRuntimeException(), started(0), batch(1, 2)));
    ends.put("UNAVAILABLE: 502", sendAndFail(Status.UNAVAILABLE.withDescription("502").asRuntimeException(), started(0), batch(1, 2)));
    for (Map.Entry<String, ScriptedGateway.Script> end : ends.entrySet()) {
      List<String> causes = new ArrayList<>();
      try (ScriptedGateway gateway = new ScriptedGateway(end.getValue(), send(started(2), batch(3, 4), caughtUp(4)));
          Headgate client = Headgate.connect(gateway.address())) {
        List<String> names = read(client, Subscription.builder().startAtEarliest().onRetry((cause, wait) -> causes.add(cause.getMessage())).build());
        assertEquals(List.of("started", "#1", "#2", "started", "#3", "#4"), names, end.getKey());
        assertEquals(List.of(end.getKey()), causes);
        assertEquals(cursor(2), gateway.requests.get(1).getStart().getAfterCursor());
        boolean silent = end.getKey().contains("silent");
        assertEquals(silent, !gateway.peers.get(0).equals(gateway.peers.get(1)), "another connection after: " + end.getKey());
      }
    }
  }

  /** Of several streams that find a connection dead, one has it replaced. */
  @Test
  void deadConnectionIsReplacedOnce() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(0))); Headgate client = Headgate.connect(gateway.address())) {
      Subscription subscription = Subscription.builder().startAtEarliest().build();
      read(client, subscription);
      int before = client.connection();
      client.abandon(before);
      read(client, subscription);
      client.abandon(before);
      read(client, subscription);
      assertNotEquals(gateway.peers.get(0), gateway.peers.get(1));
      assertEquals(gateway.peers.get(1), gateway.peers.get(2));
    }
  }

  @Test
  void gatewayThatIsNotThereIsNamed() throws Exception {
    int port;
    try (ServerSocket nobody = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
      port = nobody.getLocalPort();
    }
    List<String> causes = new ArrayList<>();
    try (Headgate client = Headgate.connect("127.0.0.1:" + port); Messages messages = client.subscribe(Subscription.builder().startAtEarliest()
        .onRetry((cause, wait) -> {
          causes.add(cause.getMessage());
          throw new IllegalStateException("seen");
        }).build())) {
      assertThrows(IllegalStateException.class, () -> messages.forEach(m -> {}));
    }
    assertTrue(causes.get(0).startsWith("UNAVAILABLE: ") && causes.get(0).contains("refused") && causes.get(0).contains(":" + port), causes::toString);
  }

  /** Without onRetry the log is told, unless the gateway ended the stream in order. */
  @Test
  void lostStreamIsNotLostUnseen() throws Exception {
    List<LogRecord> log = new CopyOnWriteArrayList<>();
    Handler handler = new Handler() {
      @Override
      public void publish(LogRecord line) {
        log.add(line);
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    Logger logger = Logger.getLogger("io.headgate.client");
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(0), closing(0, Closing.Reason.REASON_DRAINING)),
        sendAndFail(Status.UNAVAILABLE.withDescription("502").asRuntimeException()), send(caughtUp(0))); Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.builder().startAtEarliest().build());
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    assertTrue(log.size() == 1 && log.get(0).getLevel() == Level.WARNING && log.get(0).getMessage().contains("502"), () -> log.toString());
  }

  /** A stream that began at the latest event must not begin there again: what came in between would be lost. */
  @Test
  void brokenStreamFromLatestGoesOnWhereItBegan() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(3)), send(caughtUp(3))); Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.builder().startAtLatest().build());
      assertEquals(cursor(3), gateway.requests.get(1).getStart().getAfterCursor());
    }
  }

  /** Started may stand at the place where the stream goes on after a lost cursor. As long as the gap has not come, that is no position. */
  @Test
  void gapAfterStartedComesAgain() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(7)), send(started(7), gap(7), caughtUp(7)));
        Headgate client = Headgate.connect(gateway.address())) {
      assertEquals(List.of("started", "started", "gap"), read(client, Subscription.builder().startAfter(cursor(2)).build()));
      assertEquals(cursor(2), gateway.requests.get(1).getStart().getAfterCursor());
    }
  }

  @Test
  void batchCursorCoversWhatTheFilterLeftOut() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(0), batch(1, 2).toBuilder().setCursor(cursor(9)).build()), send(caughtUp(9)));
        Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.builder().startAtEarliest().build());
      assertEquals(cursor(9), gateway.requests.get(1).getStart().getAfterCursor());
    }
  }

  /** An error at one and the same place returns for ever: it is told once the stream has not moved on. */
  @Test
  void failureThatReturnsIsTold() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndFail(Status.INTERNAL.asRuntimeException(), started(0), batch(1, 1)),
        sendAndFail(Status.INTERNAL.asRuntimeException(), started(1))); Headgate client = Headgate.connect(gateway.address())) {
      HeadgateException e = assertThrows(HeadgateException.class, () -> read(client, Subscription.builder().startAtEarliest().build()));
      assertEquals(Status.Code.INTERNAL, e.code());
      assertEquals(2, gateway.requests.size());
    }
  }

  @Test
  void pauseIsWhatTheGatewayAsksFor() throws Exception {
    List<Duration> waits = new ArrayList<>();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndFail(retryAfter(Status.Code.UNAVAILABLE, Reasons.DRAINING, 300)), send(caughtUp(0)));
        Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.builder().startAtEarliest().onRetry((cause, wait) -> waits.add(wait)).build());
      assertTrue(waits.size() == 1 && waits.get(0).toMillis() >= 300 && waits.get(0).toMillis() <= 500, waits::toString);
    }
  }

  @Test
  void pausesGrowAndAreBounded() {
    for (int failures = 0; failures < 100; failures++) {
      long most = Math.min(Times.LONGEST_PAUSE.toNanos(), Times.FIRST_PAUSE.toNanos() << Math.min(failures, 20));
      long longest = 0;
      for (int n = 0; n < 200; n++) {
        longest = Math.max(longest, Times.pause(failures).toNanos());
      }
      assertTrue(longest < most && longest > most / 2, "after " + failures + " failures at most " + longest);
    }
  }

  /** Started alone is no progress: a gateway that fails right after it must not be stormed. */
  @Test
  void pausesGrowWhileNothingComes() throws Exception {
    List<Duration> waits = new ArrayList<>();
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(0))); Headgate client = Headgate.connect(gateway.address());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().onRetry((cause, wait) -> waits.add(wait)).build())) {
      for (Message m : messages) {
        if (waits.stream().anyMatch(wait -> wait.compareTo(Times.FIRST_PAUSE) > 0)) {
          return; // longer than a first pause can be
        }
      }
    }
  }

  /** gRPC's own pauses would take ten seconds for as many tries, and grow to minutes: a gateway that was away for long must be found soon. */
  @Test
  void connectionIsTriedAgainSoon() throws Exception {
    long before = System.nanoTime();
    try (ServerSocket door = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        Headgate client = Headgate.connect("127.0.0.1:" + door.getLocalPort());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().build())) {
      Thread turningAway = new Thread(() -> {
        try {
          for (int tries = 0; tries < 6; tries++) {
            door.accept().close();
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        } finally {
          messages.stop();
        }
      });
      turningAway.start();
      messages.forEach(m -> {});
      turningAway.join();
    }
    Duration took = Duration.ofNanos(System.nanoTime() - before);
    assertTrue(took.toMillis() < 6000, took::toString);
  }
}
