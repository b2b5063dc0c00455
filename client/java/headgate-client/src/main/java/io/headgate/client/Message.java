package io.headgate.client;

import com.google.protobuf.MessageLite;
import io.headgate.v1.Assigned;
import io.headgate.v1.Checkpoint;
import io.headgate.v1.Erased;
import io.headgate.v1.Event;
import io.headgate.v1.Gap;
import io.headgate.v1.Standby;
import io.headgate.v1.Started;
import java.util.OptionalInt;

/** One event, or one signal. It never changes. Exactly one of the getters of its contents returns something: the one of its {@link #kind}. */
public final class Message {
  /** What a message can be. More kinds may come. */
  public enum Kind {
    /** A change in the CRM: {@link Message#event}. */
    EVENT,
    /** Something may be missing at this place: {@link Message#gap}. */
    GAP,
    /** In the place of an event that was removed on request: {@link Message#erased}. */
    ERASED,
    /** Everything up to here that matches has been delivered: {@link Message#checkpoint}. */
    CHECKPOINT,
    /** The first message of each connection: {@link Message#started}. */
    STARTED,
    /** The stream is served a shard from here on: {@link Message#assigned}. */
    ASSIGNED,
    /** All shards of a named subscription are served to others: {@link Message#standby}. */
    STANDBY
  }

  private final Kind kind;
  private final MessageLite content;
  private final String cursor;
  private final OptionalInt shard;

  Message(Kind kind, MessageLite content, String cursor, OptionalInt shard) {
    this.kind = kind;
    this.content = content;
    this.cursor = cursor;
    this.shard = shard;
  }

  /**
   * What this message is.
   *
   * @return never null
   */
  public Kind kind() {
    return kind;
  }

  /**
   * A change in the CRM.
   *
   * @return the event, or null
   */
  public Event event() {
    return content(Event.class);
  }

  /**
   * Something may be missing at this place: reconcile its window with the CRM.
   *
   * @return the gap, or null
   */
  public Gap gap() {
    return content(Gap.class);
  }

  /**
   * Stands in the place of an event that was removed on request.
   *
   * @return the sign, or null
   */
  public Erased erased() {
    return content(Erased.class);
  }

  /**
   * Everything up to here that matches has been delivered.
   *
   * @return the checkpoint, or null
   */
  public Checkpoint checkpoint() {
    return content(Checkpoint.class);
  }

  /**
   * The terms of the stream that begins.
   *
   * @return the terms, or null
   */
  public Started started() {
    return content(Started.class);
  }

  /**
   * Which shard of a named subscription the stream is served from here on, and under which lease.
   *
   * @return the assignment, or null
   */
  public Assigned assigned() {
    return content(Assigned.class);
  }

  /**
   * All shards of a named subscription are served to others.
   *
   * @return the sign, or null
   */
  public Standby standby() {
    return content(Standby.class);
  }

  /**
   * Where to resume once this message has been handled. Store it then, for signals as for events; with a named subscription the gateway does.
   *
   * @return the cursor; "" before a named subscription's stream is assigned a shard
   */
  public String cursor() {
    return cursor;
  }

  /**
   * The shard of a named subscription that the message belongs to, from 0.
   *
   * @return empty without a name, and before a shard is assigned
   */
  public OptionalInt shard() {
    return shard;
  }

  /** Returns the kind and the cursor, and nothing of the contents. */
  @Override
  public String toString() {
    return kind + " " + cursor;
  }

  private <T> T content(Class<T> wanted) {
    return wanted.isInstance(content) ? wanted.cast(content) : null;
  }
}
