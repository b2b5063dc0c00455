package io.headgate.client;

import io.grpc.Status;
import io.headgate.v1.Closing;
import io.headgate.v1.Event;
import io.headgate.v1.SubscribeResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.CancellationException;

/** One reading of a subscription, over as many streams as it takes. It is for one thread; only its {@link Stop} is for others. */
final class Reader {
  private static final Logger LOG = System.getLogger("io.headgate.client");

  /** The gateway's, in force until Started tells. */
  private static final Duration DEFAULT_HEARTBEAT = Duration.ofSeconds(15);

  /** Bounds the giving back of a shard when the reading ends. */
  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(2);

  private final Headgate client;
  private final Subscription subscription;
  private final Stop stop;
  private final Runnable whenLost; // the shard, from any thread

  private boolean begun;
  private boolean over;
  private String cursor; // after the last message that was handled; "" until there is one, and with a name, as the gateway keeps it then
  private int failures; // since the last message after Started
  private boolean movedOn; // the stream in hand delivered something after Started
  private Duration limit; // of silence

  private Stream stream; // null between streams
  private int connection; // that it was begun over
  private Holding held; // of a named subscription, null while it has no shard
  private SubscribeResponse response; // whose messages are being delivered, null when it is done with
  private final Queue<Message> waiting = new ArrayDeque<>(); // of that response
  private Message inHand; // what the caller is handling

  Reader(Headgate client, Subscription subscription, Stop stop, Runnable whenLost) {
    this.client = client;
    this.subscription = subscription;
    this.stop = stop;
    this.whenLost = whenLost;
    this.cursor = subscription.startCursor();
  }

  /**
   * Takes the message before for handled and waits for the next one. Returns null at the end, also when that was wished.
   *
   * @throws HeadgateException when the gateway refuses
   * @throws UncheckedIOException when the store fails
   * @throws CancellationException when the thread is interrupted
   */
  Message next() {
    if (over) {
      return null;
    }
    try {
      begin();
      putDown();
      inHand = wait(stop);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new CancellationException("the thread was interrupted");
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
    if (inHand == null) {
      close();
    } else if (held != null) {
      held.working(true);
    }
    return inHand;
  }

  /** Whether the shard of the message in hand is somebody else's now. */
  boolean lost() {
    return held != null && held.lost();
  }

  /** Ends the reading. A message in hand is not taken for handled. The shard is given back, for which the gateway is waited two seconds at most. */
  void close() {
    over = true;
    waiting.clear();
    if (stream != null) {
      stream.cancel();
      stream = null;
    }
    if (held != null) {
      leave();
      held = null;
    }
  }

  private void begin() {
    if (begun) {
      return;
    }
    begun = true;
    if (subscription.store() == null) {
      return;
    }
    try {
      String stored = subscription.store().load();
      if (!stored.isEmpty()) {
        cursor = stored;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("load the cursor: " + e.getMessage(), e);
    }
  }

  /** The message in hand was handled. */
  private void putDown() {
    if (inHand == null) {
      return;
    }
    if (held != null) {
      held.working(false);
    }
    handled(inHand.cursor());
    inHand = null;
  }

  private Message wait(Stop stop) throws InterruptedException {
    while (!stop.isWished()) {
      try {
        if (stream == null) {
          open();
        }
        Message next = read();
        if (next == null && caughtUp()) {
          return null;
        }
        if (next != null) {
          return next;
        }
      } catch (Broken broken) {
        pause(broken);
      }
    }
    return null;
  }

  /** Saves what the stream before left to be saved, and begins the next one. */
  private void open() throws Broken, InterruptedException {
    settle(true);
    movedOn = false;
    response = null;
    limit = Times.longer(DEFAULT_HEARTBEAT, subscription.heartbeat()).multipliedBy(2);
    connection = client.connection();
    stream = new Stream(client.channel(), subscription.request(cursor, client.member()));
    stop.cancels(stream::cancel);
  }

  /** Ends the stream in hand with everything handled; true when that is saved too. */
  private boolean caughtUp() throws Broken, InterruptedException {
    stream = null;
    settle(false);
    return !stop.isWished();
  }

  /** Settles what is over and waits before the next try. */
  private void pause(Broken broken) throws InterruptedException {
    if (stop.isWished()) {
      return;
    }
    if (stream != null) {
      stream.cancel();
      stream = null;
      waiting.clear();
      if (broken.byDeadLine()) {
        client.abandon(connection);
      }
      try {
        settle(false);
      } catch (Broken later) {
        // before the next stream it is tried again
      }
    }
    Duration wait = broken.after().plus(Times.pause(failures));
    if (held != null && broken.after().isZero()) {
      wait = Times.pause(0); // what was handled is to be saved as soon as the gateway is back: it does not wait long before it gives the shard away
    }
    failures++;
    tell(broken, wait);
    stop.pause(wait);
  }

  /** Says that the stream was lost: a reader that waits for its gateway must not do so unseen. */
  private void tell(Broken broken, Duration wait) {
    if (subscription.retryListener() != null) {
      subscription.retryListener().retrying(broken.told(), wait);
    } else if (!broken.inOrder()) {
      LOG.log(Level.WARNING, "the gateway's stream is lost; connecting again: subscription=" + subscription.name() + " wait=" + wait + ": " + broken.getMessage());
    }
  }

  /**
   * Releases the shard of a stream that is over. Nothing new is asked for before the gateway has said whether what was handled is saved: it would come again.
   */
  private void settle(boolean waitForReady) throws Broken, InterruptedException {
    if (held == null) {
      return;
    }
    HeadgateException unsaved = held.release(Holding.SAVE_TIMEOUT, waitForReady, stop);
    if (stop.isWished()) {
      return;
    }
    if (unsaved != null && !Holding.passing(unsaved)) {
      throw unsaved;
    }
    if (unsaved != null && unsaved.temporary(false)) {
      throw new Broken(unsaved);
    }
    held = null;
  }

  /** Releases the shard at the end, so that another member gets it at once. When that fails the gateway finds out by itself, and what was not saved comes again. */
  private void leave() {
    boolean interrupted = Thread.interrupted();
    try {
      Stop never = new Stop();
      for (long end = System.nanoTime() + LEAVE_TIMEOUT.toNanos(); !client.isClosed(); ) {
        Duration left = Duration.ofNanos(end - System.nanoTime());
        HeadgateException unsaved = left.isNegative() ? null : held.release(left, true, never);
        if (unsaved == null || !unsaved.temporary(false)) {
          return;
        }
        never.pause(Times.FIRST_PAUSE);
      }
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Reads one message of the stream in hand. Null when everything that was asked for has come. */
  private Message read() throws Broken, InterruptedException {
    while (true) {
      if (stream.givenUp() != null) { // nothing more of it is delivered
        throw judge(stream.givenUp());
      }
      if (!waiting.isEmpty()) {
        return waiting.remove();
      }
      if (response != null && done()) {
        return null;
      }
      try {
        response = stream.read(limit);
      } catch (HeadgateException e) {
        throw judge(e);
      }
      unpack();
    }
  }

  /** Everything of the response was handled: its cursor covers what the filter left out too. True when it was the last of all. */
  private boolean done() throws Broken {
    SubscribeResponse last = response;
    response = null;
    if (!last.hasStarted() && !last.hasStandby() && !last.hasAssigned()) {
      handled(last.getCursor());
    }
    if (!last.hasClosing()) {
      return false;
    }
    if (last.getClosing().getReason() != Closing.Reason.REASON_CAUGHT_UP) {
      throw Broken.closed(last.getClosing());
    }
    return true;
  }

  /** Turns the error of a stream into a Broken, or returns it when it ends the reading. */
  private RuntimeException judge(HeadgateException error) throws Broken {
    HeadgateException unsaved = stream.givenUp();
    if (stop.isWished() || (unsaved == null ? error.temporary(movedOn) : Holding.passing(unsaved) || unsaved.temporary(true))) {
      throw new Broken(unsaved == null ? error : unsaved);
    }
    return unsaved == null ? error : unsaved;
  }

  /** Makes messages of what came. Kinds that are not known here are passed over, as the contract asks; their cursor counts. */
  private void unpack() {
    switch (response.getSignalCase()) {
      case STARTED:
        started();
        return;
      case STANDBY:
        add(Message.Kind.STANDBY, response.getStandby(), "");
        return;
      case ASSIGNED:
        held = new Holding(client, subscription.name(), response.getAssigned(), response.getCursor(), stream::giveUp, whenLost);
        add(Message.Kind.ASSIGNED, response.getAssigned(), response.getCursor());
        return;
      case CLOSING:
        return;
      case GAP:
        add(Message.Kind.GAP, response.getGap(), response.getCursor());
        break;
      case ERASED:
        add(Message.Kind.ERASED, response.getErased(), response.getCursor());
        break;
      case CHECKPOINT:
        add(Message.Kind.CHECKPOINT, response.getCheckpoint(), response.getCursor());
        break;
      default:
        for (Event event : response.getEventsList()) {
          add(Message.Kind.EVENT, event, event.getCursor());
        }
    }
    movedOn = true;
    failures = 0;
    if (subscription.isNamed() && held == null && !waiting.isEmpty() && !response.hasCheckpoint()) {
      throw HeadgateException.of("", Status.INTERNAL.withDescription("the gateway sent events without assigning a shard first"), null, null);
    }
  }

  /**
   * Where the reader has a position already, that one stays: a gap which says that it was lost may come next, and must come again if the connection breaks in
   * between.
   */
  private void started() {
    Duration heartbeat = Times.duration(response.getStarted().getHeartbeatInterval());
    if (!heartbeat.isZero()) {
      limit = heartbeat.multipliedBy(2);
    }
    add(Message.Kind.STARTED, response.getStarted(), cursor.isEmpty() ? response.getCursor() : cursor);
  }

  private void add(Message.Kind kind, com.google.protobuf.MessageLite content, String at) {
    waiting.add(new Message(kind, content, at, held == null ? OptionalInt.empty() : OptionalInt.of(held.shard())));
  }

  /** Makes the cursor the position, in the store or at the gateway too. */
  private void handled(String at) {
    if (subscription.isNamed()) {
      if (held != null) { // else nothing was assigned yet
        held.note(at);
      }
      return;
    }
    if (at.isEmpty() || at.equals(cursor)) {
      return;
    }
    cursor = at;
    if (subscription.store() != null) {
      try {
        subscription.store().save(at);
      } catch (IOException e) {
        throw new UncheckedIOException("save the cursor: " + e.getMessage(), e);
      }
    }
  }
}
