import { type Filter, toQuery } from "./filter";
import { Observable } from "./store";
import { LiveStream, type StreamState } from "./stream";
import type { Erased, Gap, HeadgateEvent, StreamMessage } from "./types";

/** How many rows are kept. What is older is let go: the log has it. */
export const MOST_ROWS = 500;
/** How many new rows are drawn at a time while events come live. Of more, nobody could read any. */
const MOST_NEW = 60;
/** How often rows are drawn at the most, in milliseconds; and for how much of its time the page draws at the most. */
const DRAW_EVERY = 90;
const DRAW_SHARE = 0.3;
/** How long rows stay where they are after somebody has moved towards one of them. */
const HOLD = 1200;

export type Row = { key: number; cursor: string } & (
  | { kind: "event"; event: HeadgateEvent }
  | { kind: "gap"; gap: Gap; at: string | undefined }
  | { kind: "erased"; erased: Erased }
  | { kind: "passed"; events: number }
);

/** Where a stream begins: an end of the log, so long ago, or a time. */
export function startOf(since: string): [string, string][] {
  if (since === "earliest" || since === "latest") return [["start.at", since]];
  const ago = /^(\d+)([mhd])$/.exec(since);
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[ago?.[2] ?? ""] ?? 0;
  const time = ago ? new Date(Date.now() - Number(ago[1]) * unit) : new Date(since);
  // What is no time is left to the gateway, which refuses it.
  return [["start.from_time", Number.isNaN(time.getTime()) ? since : time.toISOString()], ["on_lost_cursor", "earliest"]];
}

/** The live stream and the rows that are drawn of it. It goes on while other pages are looked at. */
export class Feed extends Observable {
  /** Newest first. */
  rows: readonly Row[] = [];
  state: StreamState = { kind: "connecting" };
  unknownNames: readonly string[] = [];
  /** How many events came. */
  received = 0;
  /** How many of them were never drawn, as more came than can be shown. */
  passedOver = 0;
  paused = false;
  caughtUp = false;

  #pending: Row[] = []; // oldest first
  #key = 0;
  #frame = 0;
  #drawAgain = 0;
  #passed = 0; // over since the last draw
  #heldUntil = 0;
  #stream: LiveStream | undefined;
  #what = "";

  /** How many rows wait to be drawn. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** Reads these events from there on. Does nothing when it does so already. */
  follow(filter: Filter, since: string): void {
    const what = JSON.stringify([toQuery(filter), since]);
    if (what === this.#what) return;
    this.#what = what;
    this.#stream?.stop();
    this.#reset();
    const current = new LiveStream(toQuery(filter), startOf(since), {
      message: (m) => { if (this.#stream === current) this.#take(m); },
      state: (s) => { if (this.#stream === current) this.#became(s); },
    });
    this.#stream = current;
    current.start();
    this.changed();
  }

  stop(): void {
    this.#stream?.stop();
    this.#stream = undefined;
    this.#what = "";
    this.#reset();
    this.changed();
  }

  /** Goes on where a refusal ended it. */
  resume(): void {
    if (this.state.kind === "ended") this.#stream?.start();
  }

  pause(paused: boolean): void {
    if (this.paused === paused) return;
    this.paused = paused;
    this.#heldUntil = 0;
    if (!paused) this.#draw(MOST_ROWS);
    this.changed();
  }

  /** Keeps rows from moving away from under a pointer. */
  hold(): void {
    this.#heldUntil = performance.now() + HOLD;
  }

  #reset(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.rows = [];
    this.#pending = [];
    this.received = this.passedOver = this.#passed = 0;
    this.paused = this.caughtUp = false;
    this.unknownNames = [];
    this.state = { kind: "connecting" };
  }

  #became(state: StreamState): void {
    this.state = state;
    if (state.kind !== "open") this.caughtUp = false; // what was missed is history at first
    this.changed();
  }

  #take(message: StreamMessage): void {
    const cursor = message.cursor ?? "";
    if (message.started) this.unknownNames = message.started.unknown_names ?? [];
    if (message.checkpoint?.caught_up) this.caughtUp = true;
    for (const event of message.events ?? []) {
      this.received++;
      this.#pending.push({ key: this.#key++, cursor: event.cursor, kind: "event", event });
    }
    if (message.gap) this.#pending.push({ key: this.#key++, cursor, kind: "gap", gap: message.gap, at: message.gap.to_time });
    if (message.erased) this.#pending.push({ key: this.#key++, cursor, kind: "erased", erased: message.erased });
    this.#bound();
    this.#schedule();
  }

  /** Lets go what can no longer be drawn, much at once. A hidden page draws nothing. */
  #bound(): void {
    if (this.#pending.length <= 3 * MOST_ROWS) return;
    const signals = this.#pass(this.#pending.splice(0, this.#pending.length - MOST_ROWS));
    this.#pending.unshift(...signals.slice(-MOST_ROWS));
  }

  /** Passes events over, and returns the other rows: what tells that something is missing is shown. */
  #pass(rows: readonly Row[]): Row[] {
    const signals = rows.filter((row) => row.kind !== "event");
    this.passedOver += rows.length - signals.length;
    this.#passed += rows.length - signals.length;
    return signals;
  }

  #schedule(): void {
    if (this.#frame) return;
    const frame = (now: number): void => {
      if (now < this.#drawAgain || (now < this.#heldUntil && !this.paused)) {
        this.#frame = requestAnimationFrame(frame);
        return;
      }
      this.#frame = 0;
      if (!this.paused) this.#draw(this.caughtUp ? MOST_NEW : MOST_ROWS);
      this.changed();
      const begun = performance.now();
      this.#drawAgain = now + DRAW_EVERY;
      setTimeout(() => { // then it has been drawn
        const end = performance.now();
        this.#drawAgain = Math.max(this.#drawAgain, end + (end - begun) / DRAW_SHARE - (end - begun));
      });
    };
    this.#frame = requestAnimationFrame(frame);
  }

  /** Draws the newest, and in the place of those that are passed over how many they are. */
  #draw(most: number): void {
    const come = this.#pending.splice(0);
    const extra = come.splice(0, Math.max(0, come.length - most));
    const kept = [...this.#pass(extra), ...come].reverse();
    const passed: Row[] = this.#passed > 0 ? [{ key: this.#key++, cursor: "", kind: "passed", events: this.#passed }] : [];
    this.#passed = 0;
    this.rows = [...kept, ...passed, ...this.rows].slice(0, MOST_ROWS);
  }
}
