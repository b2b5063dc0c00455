import { durationMs } from "@bufbuild/protobuf/wkt";
import { Closing_Reason, type SubscribeResponse } from "@headgate/proto/headgate/v1/event_service_pb";

import { closedBecause, ENDED, SILENT } from "./closing.js";
import { HeadgateError, isTemporary } from "./errors.js";
import type { Gateway } from "./gateway.js";
import { Holding, Unsaved } from "./holding.js";
import { type Message, messagesOf } from "./message.js";
import { check, requestFor, type Subscription } from "./subscription.js";
import { FIRST_PAUSE, follow, onAbort, pause, sleep, timeout } from "./wait.js";

/** The gateway's heartbeat, in force until Started tells. */
const DEFAULT_HEARTBEAT = 15_000;
/** Bounds the last saving of an iteration. */
const LEAVE_TIMEOUT = 2_000;

/** The end of a stream that another stream can continue. */
interface Interruption {
  cause: Error;
  afterMs: number; // the gateway's wish, 0 when it has none
  inOrder?: boolean; // the gateway said that it ends the stream, and why
}

/** How a stream ended, where that was not an error to tell. */
type Ending = "caught up" | Interruption;

/** One iteration. Beside the loop runs what saves a shard's position, if it has one. */
export class Reader {
  /** Of a named subscription; undefined while it has no shard. */
  held: Holding | undefined;
  #cursor = ""; // after the last message that was handled; empty until there is one, and with a name, as the gateway keeps it then
  #failures = 0; // since the last message after Started
  #movedOn = false; // the stream in hand delivered something after Started
  #stream = new AbortController(); // ends the stream in hand

  constructor(
    private readonly gateway: Gateway,
    private readonly member: string,
    private readonly sub: Subscription,
  ) {}

  /** Reads one stream after the other. What is asked for the next message has handled the one before. */
  async *messages(): AsyncGenerator<Message, void, void> {
    check(this.sub);
    await this.#load();
    try {
      for (;;) {
        this.sub.signal?.throwIfAborted();
        const ending = yield* this.#next();
        if (ending === "caught up") return;
        await this.#waitAfter(ending);
      }
    } finally {
      await this.#leave();
    }
  }

  async #load(): Promise<void> {
    const { start, store } = this.sub;
    if (typeof start === "object" && "afterCursor" in start) this.#cursor = start.afterCursor;
    this.#cursor = (await store?.load()) || this.#cursor;
  }

  async #waitAfter({ cause, afterMs, inOrder }: Interruption): Promise<void> {
    // What was handled is to be saved as soon as the gateway is back: it does not wait long before it gives the shard away.
    const waitMs = this.held && !afterMs ? pause(0) : afterMs + pause(this.#failures);
    this.#failures++;
    if (this.sub.onRetry) this.sub.onRetry(cause, waitMs);
    else if (!inOrder) this.#warn(cause, waitMs);
    await sleep(waitMs, this.sub.signal);
  }

  /** Says that the stream was lost: a reader that waits for its gateway must not do so unseen. */
  #warn(cause: Error, waitMs: number): void {
    const particulars = { subscription: this.sub.name, waitMs: Math.round(waitMs), error: cause.message };
    console.warn("headgate: the gateway's stream is lost; connecting again", particulars);
  }

  /** Saves what the stream before left to be saved, reads the next one, and saves what was handled of it. */
  async *#next(): AsyncGenerator<Message, Ending, void> {
    const before = await this.#settle();
    if (before) return before;
    const ending = yield* this.#readStream();
    const after = await this.#settle();
    return after && ending === "caught up" ? after : ending;
  }

  /**
   * Releases the shard of a stream that is over. Nothing new is asked for before the gateway has said whether what was handled is saved: it would come again.
   */
  async #settle(): Promise<Interruption | undefined> {
    if (!this.held) return undefined;
    const failure = await this.held.release(this.sub.signal);
    if (failure) {
      this.sub.signal?.throwIfAborted();
      if (!failure.passing) throw failure;
      if (isTemporary(failure, false)) return { cause: failure, afterMs: failure.retryAfterMs };
    }
    this.held = undefined;
    return undefined;
  }

  /**
   * Releases the shard at the end of the iteration, even when the signal has aborted, so that another member gets it at once. When that fails the gateway finds out
   * by itself, and what was not saved comes again.
   */
  async #leave(): Promise<void> {
    if (!this.held) return;
    const limit = timeout(LEAVE_TIMEOUT);
    try {
      while (!limit.signal.aborted) {
        const failure = await this.held.release(limit.signal);
        if (!failure || !isTemporary(failure, false)) return;
        await sleep(FIRST_PAUSE, limit.signal);
      }
    } finally {
      limit.end();
    }
  }

  /** Reads one stream to its end and says how it ended. */
  async *#readStream(): AsyncGenerator<Message, Ending, void> {
    const stream = (this.#stream = new AbortController());
    const unfollow = follow(this.sub.signal, stream);
    this.#movedOn = false;
    const responses = this.gateway.subscribe(requestFor(this.sub, this.#cursor, this.member), stream.signal)[Symbol.asyncIterator]();
    let limit = 2 * Math.max(DEFAULT_HEARTBEAT, this.sub.heartbeatMs ?? 0);
    try {
      for (;;) {
        const response = await this.#receive(responses, limit);
        if (!("cursor" in response)) return response;
        if (response.signal.case === "started" && response.signal.value.heartbeatInterval) {
          limit = 2 * durationMs(response.signal.value.heartbeatInterval) || limit;
        }
        const ended = yield* this.#deliver(response);
        if (ended) return ended;
        if (response.signal.case === "closing") {
          const { reason, retryAfter } = response.signal.value;
          if (reason === Closing_Reason.CAUGHT_UP) return "caught up";
          return { cause: closedBecause(reason), afterMs: retryAfter ? Math.max(0, durationMs(retryAfter)) : 0, inOrder: true };
        }
      }
    } finally {
      unfollow();
      stream.abort();
      responses.return?.().catch(() => {}); // what becomes of a stream that was given up is nobody's business
    }
  }

  /** Waits for the next response. The clock runs only meanwhile: the loop's body may take as long as it likes. */
  async #receive(responses: AsyncIterator<SubscribeResponse>, limit: number): Promise<SubscribeResponse | Interruption> {
    const stream = this.#stream;
    const clock = setTimeout(() => stream.abort(SILENT), limit);
    let unhook = () => {};
    // Not every fetch settles a read when it is aborted.
    const aborted = new Promise<never>((_, reject) => {
      unhook = onAbort(stream.signal, () => reject(stream.signal.reason as Error));
    });
    try {
      const next = await Promise.race([responses.next(), aborted]);
      if (!next.done) return next.value;
      return stream.signal.aborted ? this.#judge(stream.signal.reason) : { cause: ENDED, afterMs: 0 };
    } catch (error) {
      return this.#judge(error);
    } finally {
      unhook();
      clearTimeout(clock);
    }
  }

  /** Turns the error of a stream into an interruption, or throws what ends the iteration. */
  #judge(error: unknown): Interruption {
    this.sub.signal?.throwIfAborted();
    const cause: unknown = this.#stream.signal.reason;
    if (cause === SILENT) return { cause: SILENT, afterMs: 0 };
    if (cause instanceof Unsaved) {
      if (cause.passing || isTemporary(cause, true)) return { cause, afterMs: cause.retryAfterMs };
      throw cause;
    }
    if (!(error instanceof HeadgateError) || !isTemporary(error, this.#movedOn)) throw error;
    return { cause: error, afterMs: error.retryAfterMs };
  }

  /** Yields what the response holds and notes its cursor, which covers what the filter left out too. */
  async *#deliver(response: SubscribeResponse): AsyncGenerator<Message, Interruption | undefined, void> {
    const { signal } = response;
    if (signal.case === "assigned" && this.sub.name) {
      const stream = this.#stream;
      this.held = new Holding(this.gateway, this.sub.name, signal.value, response.cursor, (cause) => stream.abort(cause));
    }
    const isTerms = signal.case === "started" || signal.case === "assigned" || signal.case === "standby";
    if (!isTerms && signal.case !== "closing") {
      this.#movedOn = true;
      this.#failures = 0;
    }
    const messages = messagesOf(response, this.held?.shard);
    if (this.sub.name && !this.held && messages.some((m) => m.kind === "event" || m.kind === "gap" || m.kind === "erased")) {
      throw new HeadgateError({ code: "INTERNAL", message: "the gateway sent events without assigning a shard first: they could not be saved" });
    }
    for (const message of messages) {
      if (this.#stream.signal.aborted) return this.#judge(this.#stream.signal.reason);
      // Where there is a position already it stays at Started: a gap which says that it was lost may come next, and must come again if the connection breaks in
      // between.
      const delivered = signal.case === "started" && this.#cursor ? { ...message, cursor: this.#cursor } : message;
      if (this.held) this.held.working = true;
      try {
        yield delivered;
      } finally {
        if (this.held) this.held.working = false;
      }
      await this.#handled(delivered.cursor);
    }
    if (!isTerms) await this.#handled(response.cursor);
    return undefined;
  }

  /** Makes cursor the position, in the store or at the gateway too. What was handled is saved even if the signal has aborted in the meantime. */
  async #handled(cursor: string): Promise<void> {
    if (this.sub.name) {
      this.held?.note(cursor);
    } else if (cursor && cursor !== this.#cursor) {
      this.#cursor = cursor;
      await this.sub.store?.save(cursor);
    }
  }
}
