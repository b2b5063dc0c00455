package io.headgate.client;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** A named subscription that is being consumed, in threads of its own. They are daemons. Safe for concurrent use. */
public final class Consumption implements AutoCloseable {
  /** How long a handling may go on when the end is wished. */
  private static final Duration FINISH_WITHIN = Duration.ofSeconds(10);

  private final Headgate client;
  private final Runnable whenEnded;
  private final List<Worker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger running;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  Consumption(Headgate client, Subscription subscription, MessageHandler handler, Runnable whenEnded) {
    this.client = client;
    this.whenEnded = whenEnded;
    this.running = new AtomicInteger(subscription.streams());
    for (int n = 0; n < subscription.streams(); n++) {
      Worker worker = new Worker(client, subscription, handler);
      Thread thread = new Thread(() -> run(worker), "headgate-" + subscription.name() + "-" + n);
      thread.setDaemon(true);
      workers.add(worker);
      threads.add(thread);
    }
  }

  void start() {
    threads.forEach(Thread::start);
  }

  /**
   * Waits for the end. It returns when the end was wished by {@link #close} and what ran is finished, and when the subscription is caught up where it asks for that.
   *
   * @throws HeadgateException when the gateway refused
   * @throws RuntimeException what a listener of the subscription threw
   * @throws Error what the handler threw
   * @throws InterruptedException when the waiting thread is interrupted; the consumption goes on
   */
  public void await() throws InterruptedException {
    ended.await();
    Throwable cause = failure.get();
    if (cause instanceof Error) {
      throw (Error) cause;
    }
    if (cause != null) {
      throw (RuntimeException) cause;
    }
  }

  /**
   * Ends the consumption: no handling begins any more, those that run get ten seconds and are then interrupted, what was handled is saved and the shards are
   * given back. Returns when all that is done; called by the handler itself, at once. When the waiting thread is interrupted the handlers are too, at once.
   */
  @Override
  public void close() {
    stop();
    boolean interrupted = false;
    while (!threads.contains(Thread.currentThread()) && ended.getCount() > 0) {
      try {
        ended.await();
      } catch (InterruptedException e) {
        interrupted = true;
        workers.forEach(Worker::interrupt);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void stop() {
    workers.forEach(Worker::stop);
    try {
      client.scheduler().schedule(() -> workers.forEach(Worker::interrupt), FINISH_WITHIN.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      workers.forEach(Worker::interrupt); // the client was closed
    }
  }

  private void run(Worker worker) {
    try {
      worker.run();
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
      stop();
    } finally {
      if (running.decrementAndGet() == 0) {
        whenEnded.run();
        ended.countDown();
      }
    }
  }
}
