package io.headgate.client;

import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The messages of a subscription, as {@link Headgate#subscribe} reads them. It is for one thread and for one loop; only {@link #stop} may be called by others.
 *
 * <p>The loop waits for each message. That it comes back for the next one says that the message before was handled. What the gateway refuses ends it with a {@link
 * HeadgateException}, a store that fails with an {@link java.io.UncheckedIOException}, an interrupt of the thread with a {@link
 * java.util.concurrent.CancellationException} that leaves the interrupt set. It ends without an exception after {@link #stop}, after {@link #close}, and once
 * it is caught up where the subscription asks for that.
 */
public final class Messages implements Iterable<Message>, AutoCloseable {
  private final Stop stop;
  private final Reader reader;
  private final Runnable whenClosed;
  private boolean taken;

  Messages(Reader reader, Stop stop, Runnable whenClosed) {
    this.reader = reader;
    this.stop = stop;
    this.whenClosed = whenClosed;
  }

  /**
   * The one loop over the messages. Its {@code hasNext} takes the message before for handled, and waits.
   *
   * @throws IllegalStateException when it was asked for before
   */
  @Override
  public Iterator<Message> iterator() {
    if (taken) {
      throw new IllegalStateException("messages are for one loop: subscribe again");
    }
    taken = true;
    return new Loop();
  }

  /**
   * Ends the loop from any thread: when it comes back for the next message there is none. What it handled is saved. The loop's thread still closes.
   */
  public void stop() {
    stop.wish();
  }

  /**
   * Leaves, for the thread of the loop. The message in hand is not taken for handled and comes again. A shard that is held is given back at once, which takes up to
   * two seconds when the gateway does not answer. Nothing runs on afterwards.
   */
  @Override
  public void close() {
    stop.wish();
    reader.close();
    whenClosed.run();
  }

  private final class Loop implements Iterator<Message> {
    private Message next;

    @Override
    public boolean hasNext() {
      if (next == null) {
        next = reader.next();
      }
      return next != null;
    }

    @Override
    public Message next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the subscription has ended");
      }
      Message one = next;
      next = null;
      return one;
    }
  }
}
