package io.headgate.client;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Has a lost connection made again soon. The pauses of gRPC's own begin with a second, grow to two minutes and cannot be set; these stay short, so that a
 * gateway that is back is found before it gives a shard away.
 */
final class Reconnection {
  private static final long FIRST_MS = 100;
  private static final long LONGEST_MS = 3000;

  private final ManagedChannel channel;
  private final ScheduledExecutorService scheduler;
  private long pause = FIRST_MS; // used by one task at a time

  Reconnection(ManagedChannel channel, ScheduledExecutorService scheduler) {
    this.channel = channel;
    this.scheduler = scheduler;
  }

  /** Looks after the channel until it is shut down. */
  void watch() {
    ConnectivityState now = channel.getState(false);
    if (now == ConnectivityState.SHUTDOWN) {
      return;
    }
    if (now == ConnectivityState.TRANSIENT_FAILURE) {
      after(pause, this::connect);
      pause = Math.min(pause * 8 / 5, LONGEST_MS);
      return;
    }
    if (now == ConnectivityState.READY) {
      pause = FIRST_MS;
    }
    channel.notifyWhenStateChanged(now, () -> after(0, this::watch));
  }

  private void connect() {
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      channel.resetConnectBackoff();
    }
    watch();
  }

  private void after(long ms, Runnable task) {
    try {
      scheduler.schedule(task, ms, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      return; // the client was closed
    }
  }
}
