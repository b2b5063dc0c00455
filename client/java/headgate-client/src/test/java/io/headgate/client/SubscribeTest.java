package io.headgate.client;

import static io.headgate.client.Responses.batch;
import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.Responses.checkpoint;
import static io.headgate.client.Responses.cursor;
import static io.headgate.client.Responses.cursors;
import static io.headgate.client.Responses.gap;
import static io.headgate.client.Responses.key;
import static io.headgate.client.Responses.name;
import static io.headgate.client.Responses.refusal;
import static io.headgate.client.Responses.started;
import static io.headgate.client.ScriptedGateway.send;
import static io.headgate.client.ScriptedGateway.sendAndFail;
import static io.headgate.client.ScriptedGateway.sendAndHold;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import io.grpc.Status;
import io.headgate.v1.Erased;
import io.headgate.v1.Filter;
import io.headgate.v1.OnLostCursor;
import io.headgate.v1.Shard;
import io.headgate.v1.Start;
import io.headgate.v1.SubscribeRequest;
import io.headgate.v1.SubscribeResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class SubscribeTest {
  /** Reads to the end, and returns what came in short. */
  static List<String> read(Headgate client, Subscription subscription) {
    List<String> names = new ArrayList<>();
    try (Messages messages = client.subscribe(subscription)) {
      messages.forEach(m -> names.add(name(m)));
    }
    return names;
  }

  @Test
  void everythingOfTheSubscriptionIsAskedFor() throws Exception {
    MemoryStore store = new MemoryStore();
    store.cursor = cursor(3);
    Filter filter = Filter.newBuilder().addEntities(Entities.RELATION).build();
    try (ScriptedGateway gateway = new ScriptedGateway(send(caughtUp(3))); Headgate client = Headgate.connect(gateway.address())) {
      read(client, Subscription.builder().filter(filter).startAtLatest().onLostCursor(OnLostCursor.ON_LOST_CURSOR_EARLIEST).store(store)
          .heartbeat(java.time.Duration.ofMillis(5500)).shard(1, 4).clientName("billing").stopWhenCaughtUp().build());
      read(client, Subscription.builder().startFrom(Instant.parse("2026-01-02T03:04:05.5Z")).build());
      read(client, Subscription.builder().build());
      SubscribeRequest want = SubscribeRequest.newBuilder().setFilter(filter).setStart(Start.newBuilder().setAfterCursor(cursor(3)))
          .setOnLostCursor(OnLostCursor.ON_LOST_CURSOR_EARLIEST).setHeartbeatInterval(Duration.newBuilder().setSeconds(5).setNanos(500_000_000))
          .setShard(Shard.newBuilder().setIndex(1).setCount(4)).setClientName("billing").setStopWhenCaughtUp(true).build();
      assertEquals(want, gateway.requests.get(0));
      assertEquals(500_000_000, gateway.requests.get(1).getStart().getFromTime().getNanos());
      assertFalse(gateway.requests.get(2).hasStart());
    }
  }

  @Test
  void eventsAndSignalsComeOneByOneWithTheirCursors() throws Exception {
    SubscribeResponse erased = Responses.at(5).setErased(Erased.getDefaultInstance()).build();
    SubscribeResponse unknown = Responses.at(7).build();
    MemoryStore store = new MemoryStore();
    List<String> names = new ArrayList<>();
    List<String> told = new ArrayList<>();
    try (ScriptedGateway gateway = new ScriptedGateway(send(started(0), batch(1, 3), gap(4), erased, checkpoint(6), unknown, caughtUp(8)));
        Headgate client = Headgate.connect(gateway.address());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().store(store).build())) {
      for (Message m : messages) {
        assertFalse(store.saved.contains(m.cursor()), "saved before it was handled: " + m);
        names.add(name(m));
        told.add(m.cursor());
      }
    }
    assertEquals(List.of("started", "#1", "#2", "#3", "gap", "erased", "checkpoint"), names);
    assertEquals(cursors(0, 6), told);
    assertEquals(cursors(0, 8), store.saved, "the unknown message and the closing one are not delivered, but their cursors count");
  }

  @Test
  void messageInWhichTheLoopIsLeftComesAgain() throws Exception {
    MemoryStore store = new MemoryStore();
    Subscription subscription = Subscription.builder().startAtEarliest().store(store).build();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(started(0), batch(1, 5)), send(caughtUp(5)));
        Headgate client = Headgate.connect(gateway.address())) {
      try (Messages messages = client.subscribe(subscription)) {
        for (Message m : messages) {
          if (key(m) == 3) {
            break;
          }
        }
      }
      assertEquals(cursor(2), store.cursor);
      read(client, subscription);
      assertEquals(cursor(2), gateway.requests.get(1).getStart().getAfterCursor());
    }
  }

  @Test
  void storeThatFailsEndsTheLoop() throws Exception {
    MemoryStore store = new MemoryStore();
    store.broken = new IOException("disk on fire");
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(started(0), batch(1, 5))); Headgate client = Headgate.connect(gateway.address())) {
      Subscription subscription = Subscription.builder().startAtEarliest().store(store).build();
      UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> read(client, subscription));
      assertSame(store.broken, e.getCause());
    }
  }

  @Test
  void refusalsEndTheLoop() throws Exception {
    Map<String, Status.Code> refusals = Map.of(Reasons.START_REQUIRED, Status.Code.INVALID_ARGUMENT, Reasons.CURSOR_EXPIRED, Status.Code.OUT_OF_RANGE,
        Reasons.CURSOR_FOREIGN, Status.Code.FAILED_PRECONDITION, Reasons.CONTEXT_FORBIDDEN, Status.Code.PERMISSION_DENIED, Reasons.DATA_LOSS, Status.Code.DATA_LOSS,
        "OF_A_NEWER_GATEWAY", Status.Code.RESOURCE_EXHAUSTED);
    for (Map.Entry<String, Status.Code> one : refusals.entrySet()) {
      Throwable refusal = refusal(one.getValue(), one.getKey(), Map.of("earliest_cursor", cursor(4)));
      try (ScriptedGateway gateway = new ScriptedGateway(sendAndFail(refusal, started(0), batch(1, 1))); Headgate client = Headgate.connect(gateway.address())) {
        HeadgateException e = assertThrows(HeadgateException.class, () -> read(client, Subscription.builder().startAtEarliest().build()));
        assertEquals(one.getKey(), e.reason());
        assertEquals(one.getValue(), e.code());
        assertEquals("in words", e.description());
        assertEquals(one.getKey() + ": in words", e.getMessage());
        assertEquals(Map.of("earliest_cursor", cursor(4)), e.metadata());
        assertEquals(1, gateway.requests.size());
      }
    }
  }

  @Test
  void statusOfTheWayEndsTheLoop() throws Exception {
    for (Status status : List.of(Status.UNIMPLEMENTED, Status.UNAUTHENTICATED, Status.RESOURCE_EXHAUSTED, Status.INTERNAL, Status.UNKNOWN)) {
      try (ScriptedGateway gateway = new ScriptedGateway(sendAndFail(status.asRuntimeException(), started(0)));
          Headgate client = Headgate.connect(gateway.address())) {
        HeadgateException e = assertThrows(HeadgateException.class, () -> read(client, Subscription.builder().startAtEarliest().build()));
        assertEquals("", e.reason());
        assertEquals(status.getCode(), e.code());
        assertEquals(1, gateway.requests.size());
      }
    }
  }

  @Test
  void loopEndsWhenItIsStoppedFromAnotherThread() throws Exception {
    MemoryStore store = new MemoryStore();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(started(0), batch(1, 2))); Headgate client = Headgate.connect(gateway.address());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().store(store).build())) {
      int handled = 0;
      for (Message m : messages) {
        if (key(m) == 2) {
          new Thread(messages::stop).start(); // before or after the loop waits
        }
        handled++;
      }
      assertEquals(3, handled);
      assertEquals(cursor(2), store.cursor, "what was handled is saved");
      assertThrows(IllegalStateException.class, messages::iterator);
    }
  }

  @Test
  void interruptEndsTheLoopAndStays() throws Exception {
    MemoryStore store = new MemoryStore();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(started(0), batch(1, 1))); Headgate client = Headgate.connect(gateway.address());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().store(store).build())) {
      assertThrows(CancellationException.class, () -> messages.forEach(m -> {
        if (key(m) == 1) {
          Thread.currentThread().interrupt();
        }
      }));
      assertTrue(Thread.interrupted());
      assertEquals(cursor(1), store.cursor, "what was handled is saved");
    }
  }

  @Test
  void closedClientEndsTheLoop() throws Exception {
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(started(0), batch(1, 1))); Headgate client = Headgate.connect(gateway.address());
        Messages messages = client.subscribe(Subscription.builder().startAtEarliest().build())) {
      for (Message m : messages) {
        if (key(m) == 1) {
          client.close();
        }
      }
    }
  }

  @Test
  void whatCannotBeMeantIsRefused() throws Exception {
    assertThrows(IllegalArgumentException.class, () -> Subscription.named("billing").store(new MemoryStore()).build());
    assertThrows(IllegalArgumentException.class, () -> Subscription.builder().shards(2).build());
    assertThrows(IllegalArgumentException.class, () -> Subscription.builder().member("pod-1").build());
    assertThrows(IllegalArgumentException.class, () -> Subscription.named("billing").shards(0));
    try (Headgate client = Headgate.connect("127.0.0.1:1")) {
      assertThrows(IllegalArgumentException.class, () -> client.consume(Subscription.builder().build(), m -> {}));
      assertThrows(IllegalArgumentException.class, () -> client.consume(Subscription.named("billing").build(), null));
    }
  }

  @Test
  void messageShowsNothingOfItsContents() {
    Message m = new Message(Message.Kind.EVENT, batch(1, 1).getEvents(0), cursor(1), java.util.OptionalInt.empty());
    assertEquals("EVENT " + cursor(1), m.toString());
    assertNull(m.gap());
  }
}
