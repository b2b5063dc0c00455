package io.headgate.client;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The wish to end a subscription. It may come from any thread; the thread that reads looks for it. */
final class Stop {
  private final CountDownLatch wished = new CountDownLatch(1);
  private Runnable cancel = () -> {}; // guarded by this

  /** Wishes the end, and cancels what is under way. Again it does nothing. */
  void wish() {
    Runnable underWay;
    synchronized (this) {
      wished.countDown();
      underWay = cancel;
    }
    underWay.run();
  }

  boolean isWished() {
    return wished.getCount() == 0;
  }

  /** Says what to cancel from here on when the end is wished. When it was already, that is now. */
  void cancels(Runnable underWay) {
    synchronized (this) {
      cancel = underWay;
    }
    if (isWished()) {
      underWay.run();
    }
  }

  /** Waits, but not longer than to the wish. */
  void pause(Duration wait) throws InterruptedException {
    wished.await(wait.toNanos(), TimeUnit.NANOSECONDS);
  }
}
