import { get } from "./api";
import type { Feed } from "./feed";
import { num, seconds } from "./format";
import { Observable } from "./store";
import type { Status, Stream } from "./types";

/** How often the gateway is asked, in milliseconds. */
export const EVERY = 2000;
/** How many samples are kept: an hour's. */
const MOST = 1800;
/** Over how long the rates of single sources and streams are taken, in milliseconds. */
const RATE_OVER = 10_000;
/** How often, while nobody looks at the page. */
const HIDDEN_EVERY = 30_000;
/** How often the streams are asked for, while nobody looks at them; of more than these not at all. */
const STREAMS_EVERY = 10_000;
const MANY_STREAMS = 300;

/** What was so at one time. Undefined is what was not asked for or could not be told, null that the gateway was away. */
export interface Sample {
  at: number;
  intake: number | undefined | null;
  deliveries: number | undefined | null;
  lag: number | undefined | null;
  latency: number | undefined | null;
}

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

/** The gateway's state, polled, and how it came to be since the page was opened. */
export class History extends Observable {
  status: Status | undefined;
  streams: readonly Stream[] | undefined;
  samples: readonly Sample[] = [];
  error: unknown;

  readonly #feed: Feed;
  #sources = new Map<string, Meter>();
  #sent = new Map<string, Meter>();
  #before: { at: number; accepted: number; started: string | undefined } | undefined;
  #beforeSent: { at: number; sent: Map<string, number> } | undefined;
  #watchers = 0;
  /** Set while the gateway is not being asked: takes the plan back to ask it later. */
  #unplan: (() => void) | undefined;
  #running = false;

  constructor(feed: Feed) {
    super();
    this.#feed = feed;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#poll();
  }

  stop(): void {
    this.#running = false;
    this.#unplan?.();
    this.status = this.streams = this.#before = this.#beforeSent = undefined;
    this.samples = [];
    this.changed();
  }

  /** Has the streams asked for even when they are many, until the returned function is called. */
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
      const due = began - (this.#beforeSent?.at ?? 0) >= STREAMS_EVERY && (status.streams ?? 0) <= MANY_STREAMS;
      const wanted = this.#watchers > 0 || due;
      const streams = wanted ? ((await get<{ streams?: Stream[] }>("/admin/v1/streams")).streams ?? []) : undefined;
      if (!this.#running) return;
      this.error = undefined;
      this.#take(Date.now(), status, streams);
    } catch (error) {
      if (!this.#running) return;
      this.error = error;
      this.#before = this.#beforeSent = undefined;
      this.#sample({ at: Date.now(), intake: null, deliveries: null, lag: null, latency: null });
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
    const sources = status.sources ?? [];
    this.#sources = meters(this.#sources, at, sources.map((s) => [s.source, num(s.accepted)]));
    const accepted = sources.reduce((sum, s) => sum + num(s.accepted), 0);
    const before = this.#before?.started === status.started_at ? this.#before : undefined;
    if (streams) this.#meter(at, streams);
    if (before && at - before.at < EVERY / 2) return; // asked out of turn: too short a time for a rate
    this.#before = { at, accepted, started: status.started_at };
    this.#sample({
      at,
      intake: before && (Math.max(0, accepted - before.accepted) * 1000) / (at - before.at),
      deliveries: streams && this.#deliveries(at, streams),
      lag: streams?.reduce((most, s) => Math.max(most, seconds(s.lag)), 0),
      latency: this.#feed.latency(),
    });
  }

  #meter(at: number, streams: Stream[]): void {
    this.streams = streams;
    this.#sent = meters(this.#sent, at, streams.map((s) => [s.id, num(s.events_sent)]));
  }

  #deliveries(at: number, streams: Stream[]): number | undefined {
    const sent = new Map(streams.map((s) => [s.id, num(s.events_sent)]));
    const before = this.#beforeSent;
    this.#beforeSent = { at, sent };
    return before && (delivered(before.sent, sent) * 1000) / (at - before.at);
  }

  #sample(sample: Sample): void {
    this.samples = [...this.samples.slice(1 - MOST), sample];
  }
}

/** How many more were sent. What a stream sent that has ended meanwhile is not known. */
function delivered(before: Map<string, number>, now: Map<string, number>): number {
  let sum = 0;
  for (const [id, n] of now) sum += Math.max(0, n - (before.get(id) ?? 0));
  return sum;
}

/** Adds the values to their meters, makes those that are missing, and leaves out those without one. */
function meters(old: Map<string, Meter>, at: number, values: [string, number][]): Map<string, Meter> {
  return new Map(values.map(([name, value]) => {
    const meter = old.get(name) ?? new Meter();
    meter.add(at, value);
    return [name, meter];
  }));
}
