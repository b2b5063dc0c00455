package io.headgate.client;

import com.google.protobuf.Timestamp;
import io.headgate.v1.Filter;
import io.headgate.v1.OnLostCursor;
import io.headgate.v1.Saved;
import io.headgate.v1.Shard;
import io.headgate.v1.Start;
import io.headgate.v1.SubscribeRequest;
import java.time.Duration;
import java.time.Instant;

/** What to read and from where on. It never changes, and can be used many times. */
public final class Subscription {
  /** Is told that the stream was lost. */
  @FunctionalInterface
  public interface RetryListener {
    /**
     * Called before each new connection.
     *
     * @param cause what ended the last one
     * @param wait how long the pause will be
     */
    void retrying(Exception cause, Duration wait);
  }

  /** Is told that a handling failed. */
  @FunctionalInterface
  public interface FailureListener {
    /**
     * Called after each failed handling.
     *
     * @param message what could not be handled
     * @param failure what the handler threw
     * @param wait how long the pause will be before it is tried again
     */
    void failed(Message message, Exception failure, Duration wait);
  }

  private final SubscribeRequest asked; // but for what changes from stream to stream
  private final CursorStore store;
  private final RetryListener retry;
  private final FailureListener failure;

  private Subscription(Builder b, SubscribeRequest asked) {
    this.asked = asked;
    this.store = b.store;
    this.retry = b.retry;
    this.failure = b.failure;
  }

  /**
   * A subscription whose position is the caller's to keep.
   *
   * @return a builder that knows nothing yet
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * A named subscription, whose position the gateway keeps: the normal way. Replicas that say the same name share the events, each event to one of them.
   *
   * @param name 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot
   * @return a builder that knows the name
   */
  public static Builder named(String name) {
    Builder named = new Builder();
    named.asked.setSubscription(name);
    return named;
  }

  String name() {
    return asked.getSubscription();
  }

  boolean isNamed() {
    return !name().isEmpty();
  }

  /** How many streams serve it. */
  int streams() {
    return asked.hasShard() ? 1 : Math.max(1, asked.getSubscriptionShards());
  }

  /** Null when there is none. */
  CursorStore store() {
    return store;
  }

  /** Zero when the gateway's is taken. */
  Duration heartbeat() {
    return Times.duration(asked.getHeartbeatInterval());
  }

  /** Null when there is none. */
  RetryListener retryListener() {
    return retry;
  }

  /** Null when there is none. */
  FailureListener failureListener() {
    return failure;
  }

  /** The cursor to begin after, "" when the start is another, and with a name. */
  String startCursor() {
    return asked.getStart().getAfterCursor();
  }

  /** Asks for what comes after the cursor, or from the start when there is none; with a name, as that member unless it said another. */
  SubscribeRequest request(String cursor, String member) {
    SubscribeRequest.Builder request = asked.toBuilder();
    if (isNamed() && asked.getMember().isEmpty()) {
      request.setMember(member);
    }
    if (!isNamed() && !cursor.isEmpty()) {
      request.setStart(Start.newBuilder().setAfterCursor(cursor));
    }
    return request.build();
  }

  /** Gathers what a subscription is. For one thread. */
  public static final class Builder {
    private final SubscribeRequest.Builder asked = SubscribeRequest.newBuilder();
    private Start start; // null when none was said
    private int shards;
    private CursorStore store;
    private RetryListener retry;
    private FailureListener failure;

    private Builder() {}

    /**
     * Says how many parts a named subscription has. It is fixed when the subscription is made, and every replica must say the same. All events of one record go
     * to one shard. {@link Headgate#subscribe} serves one at a time, {@link Headgate#consume} as many as there are. Default: 1.
     *
     * @param shards 1 to 128
     * @return this
     */
    public Builder shards(int shards) {
      if (shards < 1) {
        throw new IllegalArgumentException("subscription: shards is " + shards + ": want 1 to 128");
      }
      this.shards = shards;
      return this;
    }

    /**
     * Says which replica this is, as the gateway spreads the shards of a named subscription evenly over members. Default: a name of the client's own.
     *
     * @param member at most 128 printable characters
     * @return this
     */
    public Builder member(String member) {
      asked.setMember(member);
      return this;
    }

    /**
     * Says which events. Every replica of a named subscription must say the same: an event goes to the one that has its shard, and when that one's filter leaves
     * it out nobody gets it. Default: everything that the caller may read.
     *
     * @param filter not null
     * @return this
     */
    public Builder filter(Filter filter) {
      asked.setFilter(filter);
      return this;
    }

    /**
     * Begins with the oldest event that the log holds. One of the starts is required, unless the store has a cursor. With a name it is where a new
     * subscription begins, and without one there must be one of that name already.
     *
     * @return this
     */
    public Builder startAtEarliest() {
      start = Start.newBuilder().setAt(Start.Edge.EDGE_EARLIEST).build();
      return this;
    }

    /**
     * Begins with what comes from now on.
     *
     * @return this
     * @see #startAtEarliest
     */
    public Builder startAtLatest() {
      start = Start.newBuilder().setAt(Start.Edge.EDGE_LATEST).build();
      return this;
    }

    /**
     * Begins just after the cursor of a message.
     *
     * @param cursor as {@link Message#cursor} told it
     * @return this
     * @see #startAtEarliest
     */
    public Builder startAfter(String cursor) {
      start = Start.newBuilder().setAfterCursor(cursor).build();
      return this;
    }

    /**
     * Begins with the first event that the gateway received at this time or later.
     *
     * @param time not in the future
     * @return this
     * @see #startAtEarliest
     */
    public Builder startFrom(Instant time) {
      start = Start.newBuilder().setFromTime(Timestamp.newBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano())).build();
      return this;
    }

    /**
     * Says what the gateway does when the position is no longer in its log, at the start as on every later connection. Default: fail with CURSOR_EXPIRED or
     * CURSOR_FOREIGN, which ends the subscription. The other values begin elsewhere after a gap that says so.
     *
     * @param onLostCursor not null
     * @return this
     */
    public Builder onLostCursor(OnLostCursor onLostCursor) {
      asked.setOnLostCursor(onLostCursor);
      return this;
    }

    /**
     * Keeps the position over restarts, for a reader without a name that has a disk and no replicas. Its cursor, if it has one, wins over the start. A cursor is
     * saved when the loop comes back for the next message, that is, after the message before was handled, and never earlier. The message in whose handling
     * the loop is left is not saved and comes again. The saving is not part of the handling: when the process dies between the two, the message comes again as
     * well. To take effect exactly once, set no store, keep {@link Message#cursor} in the transaction of the effects and begin with {@link #startAfter}.
     *
     * @param store for this subscription alone
     * @return this
     */
    public Builder store(CursorStore store) {
      this.store = store;
      return this;
    }

    /**
     * Says how long a stream may be silent before the gateway sends a checkpoint. After two silent heartbeats the stream is taken for dead. Default: the
     * gateway's, 15 s.
     *
     * @param heartbeat 1 s to 5 min
     * @return this
     */
    public Builder heartbeat(Duration heartbeat) {
      asked.setHeartbeatInterval(com.google.protobuf.Duration.newBuilder().setSeconds(heartbeat.getSeconds()).setNanos(heartbeat.getNano()));
      return this;
    }

    /**
     * Reads only one part of the events, when replicas of a service share them and know their numbers. With a name the count stands for {@link #shards}.
     *
     * @param index from 0 to count - 1
     * @param count 1 to 1,024, with a name to 128
     * @return this
     */
    public Builder shard(int index, int count) {
      asked.setShard(Shard.newBuilder().setIndex(index).setCount(count));
      return this;
    }

    /**
     * Says who reads, for the gateway's operator.
     *
     * @param clientName at most 128 printable characters
     * @return this
     */
    public Builder clientName(String clientName) {
      asked.setClientName(clientName);
      return this;
    }

    /**
     * Ends, without an exception, once everything that was stored when the stream began has been handled. Default: go on.
     *
     * @return this
     */
    public Builder stopWhenCaughtUp() {
      asked.setStopWhenCaughtUp(true);
      return this;
    }

    /**
     * Has it told when the stream was lost and another is to be made. It runs in the thread that reads: of a loop, never beside its body; of {@link
     * Headgate#consume}, perhaps in several at once. What it throws ends the subscription. Default: a warning to the {@link
     * System.Logger} "io.headgate.client", unless the gateway ended the stream in order, as when it restarts.
     *
     * @param listener null for the default
     * @return this
     */
    public Builder onRetry(RetryListener listener) {
      retry = listener;
      return this;
    }

    /**
     * Has it told when {@link Headgate#consume}'s handler failed and is to be called again. Perhaps in several threads at once. What it throws ends the
     * consumption. Default: a warning to the {@link System.Logger} "io.headgate.client" with the subscription, the shard, the cursor, the attempt, the wait
     * and the exception, and nothing else of the event.
     *
     * @param listener not null
     * @return this
     */
    public Builder onFailure(FailureListener listener) {
      failure = listener;
      return this;
    }

    /**
     * The subscription as it is described so far.
     *
     * @return one that later changes of this builder do not touch
     * @throws IllegalArgumentException when it cannot be meant: a name and a store, or shards or a member without a name
     */
    public Subscription build() {
      boolean named = !asked.getSubscription().isEmpty();
      if (named && store != null) {
        throw new IllegalArgumentException("subscription: a name and a store exclude each other: with a name the gateway keeps the position");
      }
      if (!named && (shards != 0 || !asked.getMember().isEmpty())) {
        throw new IllegalArgumentException("subscription: shards and member need a name");
      }
      SubscribeRequest.Builder request = asked.clone();
      if (named) {
        request.setStart(Start.newBuilder().setSaved(saved()));
        if (!asked.hasShard()) {
          request.setSubscriptionShards(Math.max(1, shards)); // always said: to read one shard of several, taking it for all, would be silent loss
        }
      } else if (start != null) {
        request.setStart(start);
      }
      return new Subscription(this, request.build());
    }

    /** The saved position, and where a new subscription begins. */
    private Saved saved() {
      Saved.Builder saved = Saved.newBuilder();
      if (start == null) {
        return saved.build(); // there must be one of that name
      }
      switch (start.getPositionCase()) {
        case AT:
          return saved.setAt(start.getAt()).build();
        case AFTER_CURSOR:
          return saved.setAfterCursor(start.getAfterCursor()).build();
        default:
          return saved.setFromTime(start.getFromTime()).build();
      }
    }
  }
}
