package io.headgate.client;

import static io.headgate.client.NamedTest.BILLING;
import static io.headgate.client.NamedTest.last;
import static io.headgate.client.Responses.assigned;
import static io.headgate.client.Responses.batch;
import static io.headgate.client.Responses.caughtUp;
import static io.headgate.client.Responses.checkpoint;
import static io.headgate.client.Responses.gap;
import static io.headgate.client.Responses.key;
import static io.headgate.client.Responses.refusal;
import static io.headgate.client.Responses.startedWithout;
import static io.headgate.client.ScriptedGateway.send;
import static io.headgate.client.ScriptedGateway.sendAndFail;
import static io.headgate.client.ScriptedGateway.sendAndHold;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ConsumeTest {
  @Test
  void failedHandlingIsTriedAgain() throws Exception {
    List<String> tries = new CopyOnWriteArrayList<>();
    List<String> told = new CopyOnWriteArrayList<>();
    Subscription s = Subscription.named("billing").startAtEarliest().onFailure((m, failure, wait) -> told.add(Responses.name(m) + failure.getMessage())).build();
    try (ScriptedGateway gateway = new ScriptedGateway(send(startedWithout(), assigned(0, "a"), batch(1, 2), gap(3), checkpoint(4), caughtUp(4)));
        Headgate client = Headgate.connect(gateway.address()); Consumption consumption = client.consume(s, m -> {
          tries.add(Responses.name(m));
          if (key(m) == 2 && tries.size() < 4) {
            throw new Exception(" not today");
          }
        })) {
      consumption.await();
      assertEquals(List.of("#1", "#2", "#2", "#2", "gap"), tries);
      assertEquals(List.of("#2 not today", "#2 not today"), told);
      assertEquals("4@a release", last(gateway.saves));
    }
  }

  /** Whoever takes long keeps the lease by presenting it, and learns that it is lost while the handling runs. */
  @Test
  void lostShardInterruptsTheHandling() throws Exception {
    List<String> handled = new CopyOnWriteArrayList<>();
    CountDownLatch never = new CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 5)),
        send(startedWithout(), assigned(2, "b"), batch(3, 3), caughtUp(3))); Headgate client = Headgate.connect(gateway.address())) {
      gateway.save = one -> one.getLease().equals("a") && gateway.saves.size() > 1 ? refusal(Status.Code.ABORTED, Reasons.LEASE_LOST, Map.of()) : null;
      try (Consumption consumption = client.consume(BILLING, m -> {
        handled.add(Responses.name(m));
        if (key(m) == 2) {
          never.await();
        }
      })) {
        consumption.await();
      }
      assertEquals(List.of("#1", "#2", "#3"), handled);
      assertEquals(List.of("1@a", "1@a"), gateway.saves.subList(0, 2), "the lease is presented with the position that holds");
      assertTrue(gateway.saves.subList(2, gateway.saves.size()).stream().noneMatch(save -> save.contains("@a")), gateway.saves::toString);
    }
  }

  @Test
  void closingLetsTheHandlingFinish() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 5)));
        Headgate client = Headgate.connect(gateway.address())) {
      Consumption consumption = client.consume(BILLING, m -> {
        if (key(m) == 2) {
          begun.countDown();
          finish.await();
        }
      });
      begun.await();
      Thread closing = new Thread(consumption::close);
      closing.start();
      while (closing.getState() != Thread.State.WAITING) { // for the handling, having wished the end
        Thread.onSpinWait();
      }
      finish.countDown();
      closing.join();
      consumption.await();
      assertEquals("2@a release", last(gateway.saves));
    }
  }

  @Test
  void handlingThatDoesNotFinishIsInterruptedAfterTenSeconds() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 5)));
        Headgate client = Headgate.connect(gateway.address())) {
      Consumption consumption = client.consume(BILLING, m -> {
        if (key(m) == 2) {
          begun.countDown();
          never.await();
        }
      });
      begun.await();
      long before = System.nanoTime();
      consumption.close();
      Duration took = Duration.ofNanos(System.nanoTime() - before);
      assertTrue(took.toMillis() >= 10_000 && took.toMillis() < 12_000, took::toString);
      assertEquals("1@a release", last(gateway.saves));
    }
  }

  @Test
  void interruptedCloseInterruptsTheHandling() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 5)));
        Headgate client = Headgate.connect(gateway.address())) {
      Consumption consumption = client.consume(BILLING, m -> {
        begun.countDown();
        never.await();
      });
      begun.await();
      Thread.currentThread().interrupt();
      long before = System.nanoTime();
      consumption.close();
      assertTrue(Thread.interrupted());
      assertTrue(System.nanoTime() - before < Duration.ofSeconds(8).toNanos());
      assertEquals("@a release", last(gateway.saves));
    }
  }

  @Test
  void handlerMayCloseTheConsumption() throws Exception {
    Consumption[] consumption = new Consumption[1];
    CountDownLatch known = new CountDownLatch(1);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 5)));
        Headgate client = Headgate.connect(gateway.address())) {
      consumption[0] = client.consume(BILLING, m -> {
        known.await();
        consumption[0].close();
      });
      known.countDown();
      consumption[0].await();
      assertEquals("1@a release", last(gateway.saves));
    }
  }

  @Test
  void refusalOrErrorEndsAllOfIt() throws Exception {
    Subscription two = Subscription.named("billing").shards(2).build();
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a")),
        sendAndFail(refusal(Status.Code.FAILED_PRECONDITION, Reasons.SUBSCRIPTION_MISMATCH, Map.of("shard_count", "4"))));
        Headgate client = Headgate.connect(gateway.address()); Consumption consumption = client.consume(two, m -> {})) {
      HeadgateException e = assertThrows(HeadgateException.class, consumption::await);
      assertEquals(Map.of("shard_count", "4"), e.metadata());
    }
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 1)));
        Headgate client = Headgate.connect(gateway.address()); Consumption consumption = client.consume(BILLING, m -> {
          throw new AssertionError("broken");
        })) {
      assertThrows(AssertionError.class, consumption::await);
      assertEquals("@a release", last(gateway.saves));
    }
  }

  /** One save is under way at a time, always of the newest cursor. */
  @Test
  void savingIsBesideTheHandling() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    CountDownLatch again = new CountDownLatch(2);
    try (ScriptedGateway gateway = new ScriptedGateway(sendAndHold(startedWithout(), assigned(0, "a"), batch(1, 40)));
        Headgate client = Headgate.connect(gateway.address())) {
      gateway.save = one -> {
        if (first.getCount() > 0) {
          first.countDown();
          try {
            answer.await();
          } catch (InterruptedException e) {
            return e;
          }
        }
        again.countDown();
        return null;
      };
      Consumption consumption = client.consume(BILLING, m -> {
        if (key(m) == 2) {
          first.await();
        } else if (key(m) == 40) {
          assertEquals(List.of("1@a"), List.copyOf(gateway.saves));
          answer.countDown();
          again.await();
        }
      });
      again.await();
      consumption.close();
      assertEquals(List.of("1@a", "39@a"), gateway.saves.subList(0, 2));
      assertEquals("40@a release", last(gateway.saves));
    }
  }
}
