import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type FilterSchema,
  OnLostCursor,
  type Start as StartMessage,
  Start_Edge,
  StartSchema,
  type SubscribeRequest,
  SubscribeRequestSchema,
} from "@headgate/proto/headgate/v1/event_service_pb";

import type { HandledMessage } from "./message.js";
import type { Store } from "./store.js";

/**
 * Where a stream begins: an end of the log, just after a cursor, or at the first event whose receivedAt is that time or later. A Date has milliseconds, an
 * event's receivedAt nanoseconds.
 */
export type Start = "earliest" | "latest" | { afterCursor: string } | { fromTime: Date | Timestamp };

/** Says what to read and from where on. */
export interface Subscription {
  /**
   * The subscription's name at the gateway, which then keeps the position: the normal way. Replicas that say the same name share the events, each event to one
   * of them. Excludes store. Without a name the position is the caller's to keep.
   */
  name?: string;
  /**
   * How many parts a named subscription has, 1 to 128; default 1. It is fixed when the subscription is made, and every replica must say the same. All events of one
   * record go to one shard. subscribe serves one shard at a time, consume as many as there are.
   */
  shards?: number;
  /** Which replica this is, as the gateway spreads shards evenly over members. Default: a name of this client's own. */
  member?: string;
  /**
   * Which events; by default everything that the caller may read. Every replica of a named subscription must say the same: an event goes to the one that has its
   * shard, and when that one's filter leaves it out nobody gets it.
   */
  filter?: MessageInitShape<typeof FilterSchema>;
  /**
   * Where the first stream begins. Required, unless store has a cursor. With a name it is where a new subscription begins, and without it there must be
   * one.
   */
  start?: Start;
  /**
   * What the gateway does when the position is no longer in its log, at the start as on every later connection. Default: "fail", with CURSOR_EXPIRED or
   * CURSOR_FOREIGN, which ends the iteration. The other values begin elsewhere, after a gap that says so.
   */
  onLostCursor?: "fail" | "earliest" | "latest";
  /**
   * Keeps the position over restarts, for a reader that has a disk and no replicas. Its cursor, if it has one, wins over start. A cursor is saved when the loop
   * comes back for the next message, that is, after the message before was handled, and never earlier. The message in whose handling the loop is left, by break,
   * return or an error, is not saved and comes again. The saving is not part of the handling: when the process dies between the two, the message comes again as well.
   *
   * To take effect exactly once, leave it away, store message.cursor in the transaction of the effects and start with afterCursor.
   */
  store?: Store;
  /**
   * How long a stream may be silent before the gateway sends a checkpoint, in milliseconds: 1,000 to 300,000. Default: the gateway's, 15,000. After two silent
   * heartbeats the stream is taken for dead.
   */
  heartbeatMs?: number;
  /** Reads only one part of the events, when replicas of a service share them and know their numbers. With a name its count stands for shards. */
  shard?: { index: number; count: number };
  /** Who reads, for the gateway's operator: at most 128 printable characters. */
  clientName?: string;
  /** Ends the iteration, without an error, once everything that was stored when the stream began has been handled. */
  stopWhenCaughtUp?: boolean;
  /** Ends the iteration when it aborts: it then throws the signal's reason, and consume returns. */
  signal?: AbortSignal;
  /**
   * Is called before each new connection with what ended the last one, and how long the wait will be in milliseconds. consume calls it for each of its streams.
   * Default: console.warn, unless the gateway ended the stream in order, as when it restarts. It must not throw.
   */
  onRetry?: (cause: Error, waitMs: number) => void;
  /**
   * Is told by consume that the handling of a message failed, and how long the wait in milliseconds will be before it is tried again. Default: console.warn. It
   * must not throw.
   */
  onFailure?: (message: HandledMessage, error: unknown, waitMs: number) => void;
}

/** Throws a TypeError for what cannot be meant. */
export function check(s: Subscription): void {
  if (s.name && s.store) throw new TypeError("subscription: name and store exclude each other: with a name the gateway keeps the position");
  if (!s.name && (s.shards !== undefined || s.member !== undefined)) throw new TypeError("subscription: shards and member need a name");
  if (s.shards !== undefined && (!Number.isInteger(s.shards) || s.shards < 1)) {
    throw new TypeError(`subscription: shards is ${s.shards}: want a whole number from 1 to 128`);
  }
}

/** The request for a stream: for what comes after the cursor, or without one from the subscription's start on. */
export function requestFor(s: Subscription, cursor: string, member: string): SubscribeRequest {
  const request = create(SubscribeRequestSchema, {
    filter: s.filter,
    start: startOf(cursor && !s.name ? { afterCursor: cursor } : s.start),
    onLostCursor: s.onLostCursor && { fail: OnLostCursor.FAIL, earliest: OnLostCursor.EARLIEST, latest: OnLostCursor.LATEST }[s.onLostCursor],
    heartbeatInterval: s.heartbeatMs ? durationFromMs(s.heartbeatMs) : undefined,
    shard: s.shard,
    clientName: s.clientName,
    stopWhenCaughtUp: s.stopWhenCaughtUp,
  });
  if (s.name) joinAs(request, s, member);
  return request;
}

/** Asks to be served as a member of the named subscription. */
function joinAs(request: SubscribeRequest, s: Subscription, member: string): void {
  request.subscription = s.name ?? "";
  request.member = s.member ?? member;
  // Always said: to read one shard of several, taking it for all, would be silent loss.
  if (!s.shard) request.subscriptionShards = s.shards ?? 1;
  const otherwise = request.start?.position;
  const saved = otherwise?.case && otherwise.case !== "saved" ? { otherwise } : {};
  request.start = create(StartSchema, { position: { case: "saved", value: saved } });
}

function startOf(start: Start | undefined): StartMessage | undefined {
  if (start === undefined) return undefined;
  if (typeof start === "string") {
    return create(StartSchema, { position: { case: "at", value: start === "earliest" ? Start_Edge.EARLIEST : Start_Edge.LATEST } });
  }
  if ("afterCursor" in start) return create(StartSchema, { position: { case: "afterCursor", value: start.afterCursor } });
  const time = start.fromTime instanceof Date ? timestampFromDate(start.fromTime) : start.fromTime;
  return create(StartSchema, { position: { case: "fromTime", value: time } });
}
