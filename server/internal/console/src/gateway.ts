import { get } from "./api";
import { num } from "./format";
import { Observable } from "./store";
import type { Status, Stream } from "./types";

/** How often the gateway is asked, in milliseconds. */
export const EVERY = 2000;
/** Over how long the rates of single sources and streams are taken, in milliseconds. */
const RATE_OVER = 10_000;
/** How often, while nobody looks at the page. */
const HIDDEN_EVERY = 30_000;

/** A counter as it was at the last few times. */
class Meter {
  #seen: [at: number, value: number][] = [];

  add(at: number, value: number): void {
    const last = this.#seen.at(-1);
    if (last && value < last[1]) this.#seen = []; // another process counts now
    this.#seen.push([at, value]);
    while (this.#seen.length > 2 && at - (this.#seen[1]?.[0] ?? at) >= RATE_OVER) this.#seen.shift();
  }

  /** Per second; undefined until it was watched for a while. */
  get rate(): number | undefined {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (!first || !last || last[0] - first[0] < EVERY / 2) return undefined;
    return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
  }
}

/** The gateway's state, polled. */
export class Gateway extends Observable {
  status: Status | undefined;
  streams: readonly Stream[] | undefined;
  error: unknown;

  #sources = new Map<string, Meter>();
  #sent = new Map<string, Meter>();
  #watchers = 0;
  /** Set while the gateway is not being asked: takes the plan back to ask it later. */
  #unplan: (() => void) | undefined;
  #running = false;

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#poll();
  }

  stop(): void {
    this.#running = false;
    this.#unplan?.();
    this.status = this.streams = undefined;
    this.changed();
  }

  /** Has the streams asked for, until the returned function is called. */
  watchStreams(): () => void {
    this.#watchers++;
    this.ask();
    return () => void this.#watchers--;
  }

  /** Asks at once, when something has been done whose effect should be seen. */
  ask(): void {
    if (!this.#unplan) return;
    this.#unplan();
    void this.#poll();
  }

  sourceRate(name: string): number | undefined {
    return this.#sources.get(name)?.rate;
  }

  streamRate(stream: Stream): number | undefined {
    return this.#sent.get(stream.id)?.rate;
  }

  async #poll(): Promise<void> {
    const began = Date.now();
    try {
      const status = await get<Status>("/admin/v1/status");
      const streams = this.#watchers > 0 ? ((await get<{ streams?: Stream[] }>("/admin/v1/streams")).streams ?? []) : undefined;
      if (!this.#running) return;
      this.error = undefined;
      this.#take(Date.now(), status, streams);
    } catch (error) {
      if (!this.#running) return;
      this.error = error;
    }
    this.changed();
    this.#plan(Math.max(200, EVERY - (Date.now() - began)));
  }

  /** Has the gateway asked again, and at once when somebody comes back to the page. */
  #plan(wait: number): void {
    this.#unplan?.();
    const latest = Date.now() + HIDDEN_EVERY;
    const look = (): void => {
      if (!document.hidden || Date.now() >= latest) this.ask();
    };
    const timer = setInterval(look, wait);
    addEventListener("visibilitychange", look);
    this.#unplan = () => {
      clearInterval(timer);
      removeEventListener("visibilitychange", look);
      this.#unplan = undefined;
    };
  }

  #take(at: number, status: Status, streams: Stream[] | undefined): void {
    this.status = status;
    this.#sources = meters(this.#sources, at, (status.sources ?? []).map((s) => [s.source, num(s.accepted)]));
    if (!streams) return;
    this.streams = streams;
    this.#sent = meters(this.#sent, at, streams.map((s) => [s.id, num(s.events_sent)]));
  }
}

/** Adds the values to their meters, makes those that are missing, and leaves out those without one. */
function meters(old: Map<string, Meter>, at: number, values: [string, number][]): Map<string, Meter> {
  return new Map(values.map(([name, value]) => {
    const meter = old.get(name) ?? new Meter();
    meter.add(at, value);
    return [name, meter];
  }));
}
