package io.headgate.client;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.headgate.v1.Assigned;
import io.headgate.v1.SaveCursorsRequest;
import io.headgate.v1.SaveCursorsResponse;
import io.headgate.v1.ShardSave;
import io.headgate.v1.SubscriptionServiceGrpc;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One shard under one lease. It saves what was handled, beside the handling: one save is under way at a time, always of the newest cursor. Methods are safe from
 * any thread.
 */
final class Holding {
  /** Times the number of shards this is the least time between two saves of one: 50 a second for all of a subscription's together. */
  private static final Duration SHARD_SPACING = Duration.ofMillis(20);

  /**
   * How often the lease is presented while one message is being handled. It is less than the gateway's grace, so whoever takes long keeps the shard, and finds
   * out soon when somebody else has been given it.
   */
  private static final Duration ASK_EVERY = Duration.ofSeconds(2);

  /** Bounds each saving of what was handled. */
  static final Duration SAVE_TIMEOUT = Duration.ofSeconds(10);

  private final Channel channel;
  private final ScheduledExecutorService scheduler;
  private final String name;
  private final int shard;
  private final String lease;
  private final Duration spacing;
  private final String begin; // the saved cursor when the shard was assigned
  private final Consumer<HeadgateException> interrupt; // ends the stream
  private final Runnable whenLost;
  private volatile boolean lost;

  // Guarded by this.
  private String newest = ""; // the last that was handled
  private String saved; // the last that was sent to be saved
  private boolean again; // what was sent was not saved
  private boolean working; // a message is being handled
  private boolean idle = true; // no save is under way, nor was one too recently
  private boolean ended;
  private Future<?> timer = CompletableFuture.completedFuture(null);
  private ListenableFuture<SaveCursorsResponse> underWay;

  /** Begins to save. {@link #release} must be called. */
  Holding(Headgate client, String name, Assigned assigned, String begin, Consumer<HeadgateException> interrupt, Runnable whenLost) {
    this.channel = client.channel();
    this.scheduler = client.scheduler();
    this.name = name;
    this.shard = assigned.getShard().getIndex();
    this.lease = assigned.getLease();
    this.spacing = SHARD_SPACING.multipliedBy(Math.max(1, assigned.getShard().getCount()));
    this.begin = begin;
    this.saved = begin;
    this.interrupt = interrupt;
    this.whenLost = whenLost;
    synchronized (this) {
      after(ASK_EVERY, this::ask);
    }
  }

  int shard() {
    return shard;
  }

  /** Tells whether somebody else has the shard now, or nobody can save it any more. */
  boolean lost() {
    return lost;
  }

  /** Says whether a message is being handled: then the lease is presented. */
  synchronized void working(boolean is) {
    working = is;
  }

  /** Has the cursor saved soon. */
  synchronized void note(String cursor) {
    if (ended || cursor.isEmpty() || cursor.equals(newest) || cursor.equals(begin)) {
      return;
    }
    newest = cursor;
    if (idle) {
      save();
    }
  }

  /**
   * Saves what was handled and gives the shard back. It may be called again when that failed. Under a lease that is lost it saves nothing.
   *
   * @param stop cuts the waiting off, with CANCELLED
   * @return what kept it, or null
   */
  HeadgateException release(Duration timeout, boolean waitForReady, Stop stop) throws InterruptedException {
    ListenableFuture<SaveCursorsResponse> last;
    synchronized (this) {
      end();
      if (lost) {
        return null;
      }
      CallOptions options = within(timeout);
      last = send(newest, true, waitForReady ? options.withWaitForReady() : options);
    }
    stop.cancels(() -> last.cancel(true));
    try {
      return answer(last);
    } catch (InterruptedException e) {
      last.cancel(true);
      throw e;
    }
  }

  /** Tells whether the next stream finds out what holds. Otherwise the failure would return for ever, and what was handled with it. */
  static boolean passing(HeadgateException answer) {
    switch (answer.reason()) {
      case Reasons.LEASE_LOST:
      case Reasons.CURSOR_BEHIND:
      case Reasons.CURSOR_FOREIGN:
        return true;
      default:
        return answer.temporary(false) || answer.code() == Status.Code.UNAUTHENTICATED;
    }
  }

  /** Nothing is saved any more beside the handling. */
  private void end() {
    ended = true;
    timer.cancel(false);
    if (underWay != null) {
      underWay.cancel(true);
    }
  }

  private synchronized void ask() {
    if (ended || !idle) {
      return;
    }
    if (working) {
      save();
    } else {
      after(ASK_EVERY, this::ask);
    }
  }

  private void save() {
    idle = false;
    timer.cancel(false);
    saved = newest.isEmpty() ? begin : newest;
    ListenableFuture<SaveCursorsResponse> sent = send(saved, false, within(SAVE_TIMEOUT));
    underWay = sent;
    sent.addListener(() -> answered(sent), Runnable::run);
  }

  private void answered(ListenableFuture<SaveCursorsResponse> sent) {
    HeadgateException answer;
    try {
      answer = answer(sent);
    } catch (InterruptedException e) {
      throw new AssertionError(e); // it is there
    }
    synchronized (this) {
      underWay = null;
      if (ended) {
        return;
      }
      again = answer != null;
      Duration rest = again ? failed(answer) : spacing;
      if (!ended) {
        after(rest, this::rested);
      }
    }
  }

  private synchronized void rested() {
    if (ended) {
      return;
    }
    if (again || !(newest.isEmpty() || newest.equals(saved))) {
      save();
    } else {
      idle = true;
      after(ASK_EVERY, this::ask);
    }
  }

  /**
   * Decides what a save that failed means, and after how long to try again. Unless the gateway only asks for patience, nothing more is delivered before what was
   * handled is saved.
   */
  private Duration failed(HeadgateException answer) {
    if (answer.reason().equals(Reasons.CURSOR_FOREIGN)) {
      return ASK_EVERY; // the position at the assignment may be lost, as the gap then says
    }
    if (!answer.reason().equals(Reasons.LIMIT)) {
      interrupt.accept(answer);
      if (!answer.temporary(true) && answer.code() != Status.Code.UNAUTHENTICATED) {
        lost = true; // second: whoever sees it finds the stream's cause
        ended = true;
        whenLost.run();
      }
    }
    return Times.longer(answer.retryAfter(), spacing.multipliedBy(10));
  }

  private ListenableFuture<SaveCursorsResponse> send(String cursor, boolean release, CallOptions options) {
    ShardSave one = ShardSave.newBuilder().setShard(shard).setLease(lease).setCursor(cursor).setRelease(release).build();
    return ClientCalls.futureUnaryCall(channel.newCall(SubscriptionServiceGrpc.getSaveCursorsMethod(), options),
        SaveCursorsRequest.newBuilder().setName(name).addSaves(one).build());
  }

  private static CallOptions within(Duration timeout) {
    return CallOptions.DEFAULT.withExecutor(Runnable::run).withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  private static HeadgateException answer(Future<?> sent) throws InterruptedException {
    try {
      sent.get();
      return null;
    } catch (ExecutionException e) {
      return HeadgateException.of("save the cursor: ", Status.fromThrowable(e), Status.trailersFromThrowable(e), e.getCause());
    } catch (CancellationException e) {
      return HeadgateException.of("save the cursor: ", Status.CANCELLED, null, e);
    }
  }

  private void after(Duration wait, Runnable task) {
    try {
      timer = scheduler.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      ended = true; // the client was closed
    }
  }
}
