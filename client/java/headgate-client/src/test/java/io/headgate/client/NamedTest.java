package io.headgate.client;

import static io.headgate.client.Responses.assigned;
import static io.headgate.client.Responses.batch;
import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.Responses.checkpoint;
import static io.headgate.client.Responses.closing;
import static io.headgate.client.Responses.cursor;
import static io.headgate.client.Responses.gap;
import static io.headgate.client.Responses.key;
import static io.headgate.client.Responses.refusal;
import static io.headgate.client.Responses.standby;
import static io.headgate.client.Responses.startedWithout;
import static io.headgate.client.ScriptedGateway.send;
import static io.headgate.client.ScriptedGateway.sendAndFail;
import static io.headgate.client.ScriptedGateway.sendAndHold;
import static io.headgate.client.SubscribeTest.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.headgate.v1.Closing;
import io.headgate.v1.Saved;
import io.headgate.v1.Start;
import io.headgate.v1.SubscribeRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class NamedTest {
  static final Subscription BILLING = Subscription.named("billing").startAtEarliest().build();

  static String last(List<String> all) {
    return all.get(all.size() - 1);
  }

  @Test
  void membershipIsAskedFor() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(0))); Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.named("billing").build());
      read(client, Subscription.named("billing").startAtEarliest().shards(4).build());
      read(client, Subscription.named("billing").startAfter(cursor(3)).shard(1, 4).member("pod-1").build());
      String own = gateway.requests.get(0).getMember();
      assertFalse(own.isEmpty());
      try (Headgate other = Headgate.connect(gateway.address())) {
        read(other, BILLING);
      }
      assertNotEquals(own, gateway.requests.get(3).getMember());
      SubscribeRequest.Builder want = SubscribeRequest.newBuilder().setSubscription("billing").setSubscriptionShards(1).setMember(own)
          .setStart(Start.newBuilder().setSaved(Saved.getDefaultInstance()));
      assertEquals(want.build(), gateway.requests.get(0));
      want.setSubscriptionShards(4).setStart(Start.newBuilder().setSaved(Saved.newBuilder().setAt(Start.Edge.EDGE_EARLIEST)));
      assertEquals(want.build(), gateway.requests.get(1));
      assertEquals(0, gateway.requests.get(2).getSubscriptionShards());
      assertEquals(cursor(3), gateway.requests.get(2).getStart().getSaved().getAfterCursor());
      assertEquals("pod-1", gateway.requests.get(2).getMember());
    }
  }

  @Test
  void messagesOfANamedSubscription() throws Exception {
    List<String> got = new ArrayList<>();
    try (ScriptedGateway gateway = new ScriptedGateway(
        send(startedWithout(), standby(), assigned(4, "a"), gap(5), batch(6, 7), checkpoint(8), caughtUp(8)));
        Headgate client = Headgate.connect(gateway.address()); Messages messages = client.subscribe(BILLING)) {
      for (Message m : messages) {
        got.add(Responses.name(m) + " " + m.cursor().replaceAll("^c*0*", "") + " " + m.shard().orElse(-1));
      }
      assertEquals(List.of("started  -1", "standby  -1", "assigned 4 0", "gap 5 0", "#6 6 0", "#7 7 0", "checkpoint 8 0"), got);
      assertEquals("8@a release", last(gateway.saves));
      assertFalse(gateway.saves.contains("4@a"), "what was not handled under the lease is not to be saved");
    }
  }

  /** The order of calls tells that nothing is doubled: the closing one's cursor is saved and the shard released, then the next stream begins. */
  @Test
  void closingIsSavedBeforeTheNextStream() throws Exception {
    for (Closing.Reason reason : List.of(Closing.Reason.REASON_HANDED_OVER, Closing.Reason.REASON_DRAINING)) {
      List<String> before = new ArrayList<>();
      ScriptedGateway[] gateway = new ScriptedGateway[1];
      gateway[0] = new ScriptedGateway(send(startedWithout(), assigned(0, "a"), batch(1, 3), closing(7, reason)), (request, out) -> {
        before.addAll(gateway[0].saves);
        send(startedWithout(), assigned(7, "b"), batch(8, 8), caughtUp(8)).run(request, out);
      });
      try (ScriptedGateway close = gateway[0]; Headgate client = Headgate.connect(close.address())) {
        assertEquals(List.of("started", "assigned", "#1", "#2", "#3", "started", "assigned", "#8"), read(client, BILLING));
        assertEquals("7@a release", last(before));
      }
    }
  }

  /** What was handled of a broken stream is saved under its lease, for as long as it takes, and only then is the next one asked for. */
  @Test
  void brokenStreamIsSettledFirst() throws Exception {
    AtomicInteger away = new AtomicInteger(3);
    try (ScriptedGateway gateway = new ScriptedGateway(
        sendAndFail(Status.UNAVAILABLE.asRuntimeException(), startedWithout(), assigned(0, "a"), batch(1, 3)),
        send(startedWithout(), assigned(3, "b"), caughtUp(3))); Headgate client = Headgate.connect(gateway.address())) {
      List<Integer> asked = new ArrayList<>();
      gateway.save = one -> {
        asked.add(gateway.requests.size());
        return one.getRelease() && away.getAndDecrement() > 0 ? Status.UNAVAILABLE.asRuntimeException() : null;
      };
      read(client, BILLING);
      List<String> releases = new ArrayList<>(gateway.saves);
      releases.removeIf(save -> !save.endsWith("release"));
      assertEquals(List.of("3@a release", "3@a release", "3@a release", "3@a release", "@b release"), releases);
      assertEquals(2, gateway.requests.size());
      assertTrue(asked.subList(0, asked.size() - 1).stream().allMatch(n -> n == 1), asked::toString);
    }
  }

  @Test
  void leavingReleasesTheShard() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(5, "a"), batch(6, 10)));
        Headgate client = Headgate.connect(gateway.address())) {
      try (Messages messages = client.subscribe(BILLING)) {
        for (Message m : messages) {
          if (key(m) == 8) {
            break;
          }
        }
      }
      assertEquals("7@a release", last(gateway.saves));
    }
  }

  @Test
  void refusedSaveEndsTheLoop() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 1)));
        Headgate client = Headgate.connect(gateway.address())) {
      gateway.save = one -> refusal(Status.Code.NOT_FOUND, Reasons.SUBSCRIPTION_NOT_FOUND, Map.of());
      HeadgateException e = assertThrows(HeadgateException.class, () -> read(client, BILLING));
      assertEquals("save the cursor: SUBSCRIPTION_NOT_FOUND: in words", e.getMessage());
    }
  }

  @Test
  void eventsWithoutALeaseAreAnError() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), batch(1, 1))); Headgate client = Headgate.connect(gateway.address())) {
      assertThrows(HeadgateException.class, () -> read(client, BILLING));
      assertEquals(List.of(), gateway.saves);
    }
  }

  /** A gateway that asks for patience is no reason to stop. */
  @Test
  void limitOnSavesIsWaitedFor() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 1)));
        Headgate client = Headgate.connect(gateway.address()); Messages messages = client.subscribe(BILLING)) {
      gateway.save = one -> {
        if (asked.incrementAndGet() == 1) {
          return Responses.retryAfter(Status.Code.RESOURCE_EXHAUSTED, Reasons.LIMIT, 1);
        }
        messages.stop();
        return null;
      };
      messages.forEach(m -> {});
      assertEquals(1, gateway.requests.size());
      assertEquals("1@a", gateway.saves.get(1));
    }
  }
}
