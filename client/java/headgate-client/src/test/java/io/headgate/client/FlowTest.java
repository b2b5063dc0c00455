package io.headgate.client;

import static io.headgate.client.Responses.assigned;
import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.Responses.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.headgate.v1.Event;
import io.headgate.v1.SubscribeResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FlowTest {
  private static final SubscribeResponse KIB_16 = SubscribeResponse.newBuilder().setCursor(Responses.cursor(1))
      .addEvents(Event.newBuilder().setCursor(Responses.cursor(1)).setEventId("x".repeat(16 << 10))).build();

  /** What is not read stays with the gateway, and streams that nobody reads do not hold up the others of the connection. */
  @Test
  void streamsThatAreNotReadBufferLittleAndHoldNobodyUp() throws Exception {
    AtomicInteger sent = new AtomicInteger();
    ScriptedGateway.Script flood = (request, out) -> {
      out.onNext(started(0));
      out.setOnReadyHandler(() -> {
        while (out.isReady() && sent.get() < 10_000) {
          out.onNext(KIB_16);
          sent.incrementAndGet();
        }
      });
    };
    ScriptedGateway.Script some = (request, out) -> {
      out.onNext(started(0));
      for (int n = 0; n < 100; n++) {
        out.onNext(KIB_16);
      }
      out.onNext(caughtUp(1));
      out.onCompleted();
    };
    int stalled = 20;
    try (ScriptedGateway gateway = new ScriptedGateway((request, out) -> (request.getClientName().isEmpty() ? some : flood).run(request, out));
        Headgate client = Headgate.connect(gateway.address())) {
      List<Messages> unread = new ArrayList<>();
      for (int n = 0; n < stalled; n++) {
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().clientName("stalled").build());
        unread.add(messages);
        Iterator<Message> loop = messages.iterator();
        assertEquals(Message.Kind.STARTED, loop.next().kind());
        assertEquals(Message.Kind.EVENT, loop.next().kind());
      }
      assertEquals(101, SubscribeTest.read(client, Subscription.builder().startAtEarliest().build()).size());
      assertTrue(sent.get() < stalled * 30, sent + " messages of 16 KiB were taken by " + stalled + " streams that nobody reads");
      unread.forEach(Messages::close);
    }
  }

  /** Leaving ends the call at the gateway. */
  @Test
  void leavingTellsTheGateway() throws Exception {
    java.util.concurrent.CountDownLatch cancelled = new java.util.concurrent.CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway((request, out) -> {
      out.setOnCancelHandler(cancelled::countDown);
      out.onNext(started(0));
      out.onNext(assigned(0, "a"));
    }); Headgate client = Headgate.connect(gateway.address())) {
      try (Messages messages = client.subscribe(NamedTest.BILLING)) {
        messages.iterator().next();
      }
      cancelled.await();
    }
  }
}
