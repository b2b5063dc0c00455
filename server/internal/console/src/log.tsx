import type { ComponentChildren } from "preact";
import { bytes, count, moment, num, perSecond, seconds, span } from "./format";
import { Age, Empty, Failure } from "./parts";
import { type Point, Plot } from "./plot";
import { usePolled } from "./polled";
import { hrefOf } from "./route";
import { session } from "./session";
import { useChanges } from "./store";
import { gapWords } from "./summary";
import type { HistoryPoint } from "./types";

export function LogPage() {
  const { gateway } = session;
  useChanges(gateway);
  const past = usePolled<{ points?: HistoryPoint[] }>("/admin/v1/history", 10_000);
  const { status } = gateway;
  const log = status?.log;
  if (!log) return <section><header class="head"><h1>Log</h1></header><Empty title="Asking the gateway…" /></section>;
  const of = (value: (p: HistoryPoint) => number | undefined): Point[] => (past.value?.points ?? []).map((p) => ({ at: Date.parse(p.at), value: value(p) }));
  return (
    <section>
      <header class="head"><h1>Log</h1><p class="muted">The last hour, or since the gateway was started.</p></header>
      <dl class="tiles">
        <Tile name="Records">{count(log.records)}</Tile>
        <Tile name="Size">{bytes(log.size_bytes)}<small>{bytes(log.free_bytes)} free</small></Tile>
        <Tile name="Oldest event"><Age of={log.earliest_time} none="none" /><small>{moment(log.earliest_time)}</small></Tile>
        <Tile name="Newest event"><Age of={log.latest_time} none="none" /><small>{moment(log.latest_time)}</small></Tile>
        <Tile name="Quarantine"><a href={hrefOf("quarantine")}>{count(log.quarantined)}</a><small>{bytes(log.quarantined_bytes)}{num(log.quarantine_dropped) > 0 && `, ${count(log.quarantine_dropped)} dropped`}</small></Tile>
        <Tile name="Format">{log.format}<small>{num(log.newest_format) > num(log.format) ? `${log.newest_format} is the newest` : "the newest"}</small></Tile>
      </dl>
      {status.last_not_ready && <p class="notice warn">Last not ready for longer than the CRM tries: {gapWords(status.last_not_ready)}</p>}
      {past.error !== undefined && gateway.error === undefined && <Failure error={past.error} />}
      <div class="plots">
        <Plot title="Intake" points={of((p) => rate(p, num(p.posts?.accepted)))} format={perSecond} about="accepted from all sources" />
        <Plot title="Refused" points={of((p) => rate(p, refused(p)))} format={perSecond} about={causes(past.value?.points ?? [])} />
        <Plot title="Deliveries" points={of((p) => rate(p, num(p.events_sent)))} format={perSecond} about="sent on all streams" />
        <Plot title="Latency" points={of((p) => p.delivery === undefined ? undefined : seconds(p.delivery))} format={span} about="of 99 in 100, received until sent" />
        <Plot title="Lag" points={of((p) => seconds(p.lag))} format={span} about="the slowest stream's" />
        <Plot title="Size" points={of((p) => num(p.log_size_bytes))} format={bytes} about="of the log on disk" />
      </div>
    </section>
  );
}

function Tile({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function rate(p: HistoryPoint, n: number): number {
  return n / seconds(p.over);
}

/** What is answered with 200. */
const TAKEN = ["accepted", "duplicate", "quarantined", "test"];

function refused(p: HistoryPoint): number {
  return Object.entries(p.posts ?? {}).reduce((sum, [outcome, n]) => sum + (TAKEN.includes(outcome) ? 0 : num(n)), 0);
}

/** Why posts were refused. */
function causes(points: readonly HistoryPoint[]): string {
  const all = new Set(points.flatMap((p) => Object.keys(p.posts ?? {})).filter((outcome) => !TAKEN.includes(outcome)));
  return [...all].map((cause) => cause.replaceAll("_", " ")).join(", ") || "posts, whatever the cause";
}
