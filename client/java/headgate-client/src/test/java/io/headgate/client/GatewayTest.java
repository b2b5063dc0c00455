package io.headgate.client;

import static io.headgate.client.Responses.key;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.headgate.v1.CreateSubscriptionRequest;
import io.headgate.v1.Filter;
import io.headgate.v1.GetSubscriptionRequest;
import io.headgate.v1.Start;
import io.headgate.v1.SubscriptionServiceGrpc;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against the real gateway. */
@Timeout(300) // the first one builds it
class GatewayTest {
  @TempDir Path folder;

  private static List<Integer> upTo(int n) {
    return IntStream.rangeClosed(1, n).boxed().collect(Collectors.toList());
  }

  private Path data() {
    return folder.resolve("log");
  }

  @Test
  void killedGatewayIsResumedWithoutGapOrDouble() throws Exception {
    CursorStore store = new FileCursorStore(folder.resolve("position"));
    List<Integer> handled = new ArrayList<>();
    List<Exception> retries = new ArrayList<>();
    Gateway gateway = new Gateway(data());
    gateway.post(1, 50);
    Subscription subscription = Subscription.builder().startAtEarliest().store(store).onRetry((cause, wait) -> retries.add(cause)).build();
    try (Headgate client = Headgate.connect(gateway.address()); Messages messages = client.subscribe(subscription)) {
      for (Message m : messages) {
        if (m.event() == null) {
          continue;
        }
        handled.add(key(m));
        if (key(m) == 20) {
          gateway.kill();
          gateway = new Gateway(data(), gateway.address());
          gateway.post(51, 80);
        }
        if (key(m) == 80) {
          messages.stop();
        }
      }
      assertEquals(upTo(80), handled);
      assertTrue(!retries.isEmpty(), "it was not told that the stream was lost");
      assertEquals(List.of("started"), SubscribeTest.read(client, Subscription.builder().store(store).stopWhenCaughtUp().build()).subList(0, 1));
    } finally {
      gateway.kill();
    }
  }

  @Test
  void replicasShareAndHandOverWithoutDoubling() throws Exception {
    List<Integer> handled = new CopyOnWriteArrayList<>();
    Semaphore byA = new Semaphore(0);
    Semaphore byB = new Semaphore(0);
    try (Gateway gateway = new Gateway(data()); Headgate a = Headgate.connect(gateway.address()); Headgate b = Headgate.connect(gateway.address())) {
      Subscription billing = Subscription.named("billing").shards(4).startAtEarliest().build();
      Consumption first = a.consume(billing, m -> {
        handled.add(key(m));
        byA.release();
      });
      gateway.post(1, 40);
      byA.acquire(40);
      Consumption second = b.consume(billing, m -> {
        handled.add(key(m));
        byB.release();
      });
      int posted = 40;
      while (!byB.tryAcquire(10)) { // until the second has its share
        gateway.post(posted + 1, ++posted);
      }
      first.close();
      gateway.post(posted + 1, posted + 40);
      while (handled.size() < posted + 40) {
        byB.acquire();
      }
      second.close();
      assertEquals(upTo(posted + 40), handled.stream().sorted().collect(Collectors.toList()));
      var saved = SubscriptionServiceGrpc.newBlockingStub(a.channel()).getSubscription(GetSubscriptionRequest.newBuilder().setName("billing").build());
      assertTrue(saved.getShardsList().stream().allMatch(shard -> shard.getLease().isEmpty()) && !saved.getSubscription().hasLag(), saved::toString);
    }
  }

  @Test
  void restartedGatewayDoublesNothing() throws Exception {
    List<Integer> handled = new CopyOnWriteArrayList<>();
    Semaphore done = new Semaphore(0);
    CountDownLatch halfway = new CountDownLatch(1);
    CountDownLatch on = new CountDownLatch(1);
    Gateway gateway = new Gateway(data());
    gateway.post(1, 20);
    try (Headgate client = Headgate.connect(gateway.address());
        Consumption consumption = client.consume(Subscription.named("billing").startAtEarliest().build(), m -> {
          handled.add(key(m));
          if (key(m) == 7) {
            halfway.countDown();
            on.await();
          }
          done.release();
        })) {
      halfway.await();
      gateway.kill();
      gateway = new Gateway(data(), gateway.address());
      on.countDown();
      gateway.post(21, 30);
      done.acquire(30);
      consumption.close();
      assertEquals(upTo(30), handled);
    } finally {
      gateway.kill();
    }
  }

  @Test
  void refusalsHaveTheirReasons() throws Exception {
    try (Gateway gateway = new Gateway(data()); Headgate client = Headgate.connect(gateway.address())) {
      SubscriptionServiceGrpc.newBlockingStub(client.channel()).createSubscription(CreateSubscriptionRequest.newBuilder().setName("billing").setShardCount(4)
          .setStart(Start.newBuilder().setAt(Start.Edge.EDGE_LATEST)).build());
      Filter misspelt = Filter.newBuilder().addEntities("relations").build();
      assertEquals(Reasons.START_REQUIRED, reason(client, Subscription.builder().build()));
      assertEquals(Reasons.FILTER_INVALID, reason(client, Subscription.builder().startAtEarliest().filter(misspelt).build()));
      assertEquals(Reasons.CURSOR_MALFORMED, reason(client, Subscription.builder().startAfter("c".repeat(22)).build()));
      assertEquals(Reasons.FILTER_INVALID, reason(client, Subscription.builder().startFrom(Instant.now().plusSeconds(3600)).build()));
      assertEquals(Reasons.SUBSCRIPTION_MISMATCH, reason(client, Subscription.named("billing").build()));
      assertEquals(Reasons.SUBSCRIPTION_NOT_FOUND, reason(client, Subscription.named("other").build()));
    }
  }

  private static String reason(Headgate client, Subscription subscription) {
    return assertThrows(HeadgateException.class, () -> SubscribeTest.read(client, subscription)).reason();
  }
}
