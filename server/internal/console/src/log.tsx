import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { bytes, count, moment, num, perSecond, span } from "./format";
import type { Sample } from "./history";
import { Age, Empty } from "./parts";
import { type Point, Plot } from "./plot";
import { hrefOf } from "./route";
import { session } from "./session";
import { useChanges } from "./store";
import { gapWords } from "./summary";

export function LogPage() {
  const { history } = session;
  useChanges(history);
  useEffect(() => history.watchStreams(), []);
  const { status, samples } = history;
  const log = status?.log;
  if (!log) return <section><header class="head"><h1>Log</h1></header><Empty title="Asking the gateway…" /></section>;
  const of = (what: keyof Omit<Sample, "at">): Point[] => samples.map((s) => ({ at: s.at, value: s[what] }));
  return (
    <section>
      <header class="head"><h1>Log</h1><p class="muted">Rates since this page was opened.</p></header>
      <dl class="tiles">
        <Tile name="Records">{count(log.records)}</Tile>
        <Tile name="Size">{bytes(log.size_bytes)}<small>{bytes(log.free_bytes)} free</small></Tile>
        <Tile name="Oldest event"><Age of={log.earliest_time} none="none" /><small>{moment(log.earliest_time)}</small></Tile>
        <Tile name="Newest event"><Age of={log.latest_time} none="none" /><small>{moment(log.latest_time)}</small></Tile>
        <Tile name="Quarantine"><a href={hrefOf("quarantine")}>{count(log.quarantined)}</a><small>{bytes(log.quarantined_bytes)}{num(log.quarantine_dropped) > 0 && `, ${count(log.quarantine_dropped)} dropped`}</small></Tile>
        <Tile name="Format">{log.format}<small>{num(log.newest_format) > num(log.format) ? `${log.newest_format} is the newest` : "the newest"}</small></Tile>
      </dl>
      {status.last_not_ready && <p class="notice warn">Last not ready for longer than the CRM tries: {gapWords(status.last_not_ready)}</p>}
      <div class="plots">
        <Plot title="Intake" points={of("intake")} format={perSecond} about="accepted from all sources" />
        <Plot title="Deliveries" points={of("deliveries")} format={perSecond} about="sent on all streams" />
        <Plot title="Lag" points={of("lag")} format={span} about="the slowest stream's" />
        <Plot title="Latency" points={of("latency")} format={span} about="stored until here, by both clocks" />
      </div>
    </section>
  );
}

function Tile({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}
