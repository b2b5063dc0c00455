package io.headgate.client;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;

/** Has the messages of one stream of a named subscription handled, in a thread of its own. */
final class Worker {
  private static final Logger LOG = System.getLogger("io.headgate.client");

  private final Subscription subscription;
  private final MessageHandler handler;
  private final Stop stop = new Stop();
  private final Reader reader;

  private final Object lock = new Object(); // notified when the shard is lost and when the end is wished
  private Thread handling; // guarded by lock: the thread, while it is in the handler

  Worker(Headgate client, Subscription subscription, MessageHandler handler) {
    this.subscription = subscription;
    this.handler = handler;
    this.reader = new Reader(client, subscription, stop, this::interrupt);
  }

  /** Works until the subscription ends, or its end is wished. */
  void run() {
    try {
      for (Message message = reader.next(); message != null; message = reader.next()) {
        if (!work(message)) {
          return;
        }
      }
    } finally {
      reader.close();
    }
  }

  /** Wishes the end. A handling goes on until {@link #interrupt}. Safe from any thread. */
  void stop() {
    stop.wish();
    synchronized (lock) {
      lock.notifyAll();
    }
  }

  /** Interrupts the handler if it runs, for it is not wanted any more. Safe from any thread. */
  void interrupt() {
    synchronized (lock) {
      lock.notifyAll();
      if (handling != null) {
        handling.interrupt();
      }
    }
  }

  /** Returns false when the message was not handled because the end was wished. That the shard was lost meanwhile the reader sees by itself. */
  private boolean work(Message message) {
    boolean wanted = message.event() != null || message.gap() != null || message.erased() != null;
    for (int failures = 0; wanted; failures++) {
      Exception failure = attempt(message);
      if (failure == null || reader.lost()) {
        break;
      }
      if (stop.isWished()) {
        return false;
      }
      Duration wait = Times.pause(failures);
      tell(message, failures + 1, failure, wait);
      if (!pause(wait)) {
        return reader.lost();
      }
    }
    return true;
  }

  /** Calls the handler once. Returns what it threw, or null. */
  private Exception attempt(Message message) {
    synchronized (lock) {
      if (reader.lost()) {
        return null;
      }
      handling = Thread.currentThread();
    }
    try {
      handler.handle(message);
      return null;
    } catch (Exception e) {
      return e;
    } finally {
      synchronized (lock) {
        handling = null;
        Thread.interrupted(); // was meant for the handler
      }
    }
  }

  /** Waits before the next attempt. Returns false when there is to be none. */
  private boolean pause(Duration wait) {
    long end = System.nanoTime() + wait.toNanos();
    synchronized (lock) {
      while (!reader.lost() && !stop.isWished()) {
        long left = (end - System.nanoTime() + 999_999) / 1_000_000;
        if (left <= 0) {
          return true;
        }
        try {
          lock.wait(left);
        } catch (InterruptedException e) {
          throw new IllegalStateException("a thread of the client was interrupted by somebody else", e);
        }
      }
    }
    return false;
  }

  /** Says that a handling failed: a shard that stands still must not do so unseen. */
  private void tell(Message message, int attempt, Exception failure, Duration wait) {
    if (subscription.failureListener() != null) {
      subscription.failureListener().failed(message, failure, wait);
      return;
    }
    LOG.log(Level.WARNING, "a message could not be handled and is tried again; its shard waits: subscription=" + subscription.name() + " shard="
        + message.shard().orElse(-1) + " cursor=" + message.cursor() + " attempt=" + attempt + " wait=" + wait, failure);
  }
}
