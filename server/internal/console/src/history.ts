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
/** With more streams than these they are only asked for while somebody looks at them. */
const MANY_STREAMS = 300;

/** What was so at one time. Undefined is what was not known. */
export interface Sample {
  at: number;
  intake: number | undefined;
  deliveries: number | undefined;
  lag: number | undefined;
  latency: number | undefined;
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

  /** Per second; undefined until there are two values. */
  get rate(): number | undefined {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (!first || !last || last[0] === first[0]) return undefined;
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
  #before: { at: number; accepted: number; started: string | undefined; sent: Map<string, number> | undefined } | undefined;
  #watchers = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
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
    clearTimeout(this.#timer);
    this.status = this.streams = this.#before = undefined;
    this.samples = [];
    this.changed();
  }

  /** Has the streams asked for even when they are many, until the returned function is called. */
  watchStreams(): () => void {
    this.#watchers++;
    return () => void this.#watchers--;
  }

  sourceRate(name: string): number | undefined {
    return this.#sources.get(name)?.rate;
  }

  streamRate(stream: Stream): number | undefined {
    return this.#sent.get(String(stream.id))?.rate;
  }

  async #poll(): Promise<void> {
    const began = Date.now();
    try {
      const status = await get<Status>("/admin/v1/status");
      const wanted = this.#watchers > 0 || (status.streams ?? 0) <= MANY_STREAMS;
      const streams = wanted ? ((await get<{ streams?: Stream[] }>("/admin/v1/streams")).streams ?? []) : undefined;
      if (!this.#running) return;
      this.error = undefined;
      this.#take(Date.now(), status, streams);
    } catch (error) {
      if (!this.#running) return;
      this.error = error;
      this.#before = undefined;
      this.#sample({ at: Date.now(), intake: undefined, deliveries: undefined, lag: undefined, latency: undefined });
    }
    this.changed();
    this.#timer = setTimeout(() => void this.#poll(), Math.max(200, EVERY - (Date.now() - began)));
  }

  #take(at: number, status: Status, streams: Stream[] | undefined): void {
    this.status = status;
    this.streams = streams;
    this.#sources = meters(this.#sources, at, (status.sources ?? []).map((s) => [s.source, num(s.accepted)]));
    if (streams) this.#sent = meters(this.#sent, at, streams.map((s) => [String(s.id), num(s.events_sent)]));

    const accepted = (status.sources ?? []).reduce((sum, s) => sum + num(s.accepted), 0);
    const sent = streams && new Map(streams.map((s) => [String(s.id), num(s.events_sent)]));
    const before = this.#before?.started === status.started_at ? this.#before : undefined;
    this.#before = { at, accepted, started: status.started_at, sent };
    const elapsed = before ? (at - before.at) / 1000 : 0;
    this.#sample({
      at,
      intake: before && Math.max(0, accepted - before.accepted) / elapsed,
      deliveries: before?.sent && sent ? delivered(before.sent, sent) / elapsed : undefined,
      lag: streams && streams.reduce((most, s) => Math.max(most, seconds(s.lag)), 0),
      latency: this.#feed.latency(),
    });
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
