import { create } from "@bufbuild/protobuf";
import type { Assigned } from "@headgate/proto/headgate/v1/event_service_pb";
import { SaveCursorsRequestSchema } from "@headgate/proto/headgate/v1/subscription_service_pb";

import { HeadgateError, isTemporary, Reason } from "./errors.js";
import type { Gateway } from "./gateway.js";
import { sleep, timeout } from "./wait.js";

/** It times the number of shards is the least time between two saves of one: 50 a second for all of a subscription's together. */
const SHARD_SPACING = 20;
/**
 * How often the lease is presented while one message is being handled. It is less than the gateway's grace, so whoever takes long keeps the shard, and finds out
 * soon when somebody else has been given it.
 */
const ASK_EVERY = 2_000;
/** Bounds each saving of what was handled, which goes on when the reading is cancelled. */
const SAVE_TIMEOUT = 10_000;

/** What kept a cursor from being saved. */
export class Unsaved extends HeadgateError {
  constructor(answer: HeadgateError) {
    const { code, reason, metadata, retryAfterMs } = answer;
    super({ code, reason, metadata, retryAfterMs, cause: answer.cause, message: `save the cursor: ${answer.message}` });
  }

  /** Tells whether the next stream finds out what holds. Otherwise the failure would return for ever, and what was handled with it. */
  get passing(): boolean {
    switch (this.reason) {
      case Reason.LeaseLost:
      case Reason.CursorBehind:
      case Reason.CursorForeign:
        return true;
    }
    return isTemporary(this, false) || this.code === "UNAUTHENTICATED";
  }
}

/** Ends a holding as its owner wanted. */
const RELEASED = new Error("the shard was released");

/**
 * One shard under one lease. It saves what was handled, beside the handling: one save is under way at a time, always of the newest cursor. It begins to when it is
 * made, and release must be called.
 */
export class Holding {
  /** Whether a message is being handled: the lease is then presented though nothing new is to be saved. */
  working = false;
  readonly shard: number;
  readonly #lease: string;
  readonly #spacing: number;
  readonly #ended = new AbortController();
  readonly #kept: Promise<void>;
  #newest = ""; // the last that was handled
  #handled: string | undefined; // the same, until it is taken to be saved
  #wake = () => {};

  constructor(
    private readonly gateway: Gateway,
    private readonly name: string,
    assigned: Assigned,
    private readonly begin: string, // the saved cursor when the shard was assigned
    private readonly interrupt: (cause: Unsaved) => void, // ends the stream
  ) {
    this.shard = assigned.shard?.index ?? 0;
    this.#lease = assigned.lease;
    this.#spacing = SHARD_SPACING * Math.max(1, assigned.shard?.count ?? 1);
    this.#kept = this.#keep();
  }

  /** Aborts when the holding ends. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether somebody else has the shard now, or nobody can save it any more. */
  get lost(): boolean {
    return this.signal.aborted && this.signal.reason !== RELEASED;
  }

  /** Has the cursor saved soon. */
  note(cursor: string): void {
    if (!cursor || cursor === this.#newest || cursor === this.begin) return;
    this.#newest = this.#handled = cursor;
    this.#wake();
  }

  /**
   * Saves what was handled and gives the shard back; returns what kept it from that. It may be called again then. Under a lease that is lost it saves nothing.
   */
  async release(signal?: AbortSignal): Promise<Unsaved | undefined> {
    this.#end(RELEASED);
    await this.#kept;
    return this.lost ? undefined : this.#save(this.#newest, true, signal);
  }

  #end(cause: Error): void {
    this.#ended.abort(cause);
    this.#wake();
  }

  /** Saves until the holding ends. */
  async #keep(): Promise<void> {
    let at = this.begin;
    let again = false;
    for (;;) {
      if (!again) await this.#news();
      if (this.signal.aborted) return;
      if (this.#handled === undefined && !again && !this.working) continue;
      at = this.#handled ?? at;
      this.#handled = undefined;
      const failure = await this.#save(at, false, this.signal);
      again = failure !== undefined;
      await sleep(failure ? this.#failed(failure) : this.#spacing, this.signal);
      if (this.signal.aborted) return;
    }
  }

  /** Resolves when there is something to save, when the lease is to be presented, and at the end. */
  #news(): Promise<void> {
    if (this.#handled !== undefined || this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ASK_EVERY);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /**
   * Decides what a save that failed means, and after how long to try again. Unless the gateway only asks for patience, nothing more is delivered before what was
   * handled is saved.
   */
  #failed(failure: Unsaved): number {
    if (this.signal.aborted || failure.reason === Reason.Limit) {
      // Only patience is asked for.
    } else if (failure.reason === Reason.CursorForeign) {
      return ASK_EVERY; // the position at the assignment may be lost, as the gap then says
    } else {
      this.interrupt(failure);
      if (!isTemporary(failure, true) && failure.code !== "UNAUTHENTICATED") this.#end(failure); // second: whoever sees it finds the stream's cause
    }
    return Math.max(failure.retryAfterMs, 10 * this.#spacing);
  }

  async #save(cursor: string, release: boolean, signal?: AbortSignal): Promise<Unsaved | undefined> {
    const limit = timeout(SAVE_TIMEOUT, signal);
    const saves = [{ shard: this.shard, lease: this.#lease, cursor, release }];
    try {
      await this.gateway.saveCursors(create(SaveCursorsRequestSchema, { name: this.name, saves }), limit.signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return new Unsaved(error);
    } finally {
      limit.end();
    }
  }
}
