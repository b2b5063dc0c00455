import { useEffect } from "preact/hooks";
import { fromMessage } from "./filter";
import { count, num, perSecond, seconds, span } from "./format";
import { Age, Cell, Empty, FilterWords, Table } from "./parts";
import { session } from "./session";
import { useChanges } from "./store";
import type { Stream } from "./types";

const MOST = 500;

export function StreamsPage() {
  const { history } = session;
  useChanges(history);
  useEffect(() => history.watchStreams(), []);
  const { streams } = history;
  return (
    <section>
      <header class="head"><h1>Streams</h1><p class="muted">Readers that are connected. Sent is not handled: see subscriptions for that.</p></header>
      {streams === undefined ? <Empty title="Asking the gateway…" /> : streams.length === 0 ? <Empty title="Nobody is connected." /> : (
        <>
          <Table label="Streams" head={["Reader", "Filter", ["Sent", "n"], ["Rate", "n"], ["Lag", "n"], "Since"]}>
            <tbody>{streams.slice(0, MOST).map((stream) => <One key={String(stream.id)} stream={stream} rate={history.streamRate(stream)} />)}</tbody>
          </Table>
          {streams.length > MOST && <p class="muted foot">The oldest {MOST} of {count(streams.length)} streams are shown. <code>headgate streams</code> shows all.</p>}
        </>
      )}
    </section>
  );
}

function One({ stream: s, rate }: { stream: Stream; rate: number | undefined }) {
  return (
    <tr>
      <Cell of="Reader"><b>{s.reader || "anybody"}</b><small>{[s.client_name, s.peer].filter(Boolean).join(" · ")}</small></Cell>
      <Cell of="Filter"><FilterWords filter={fromMessage(s.filter)} /></Cell>
      <Cell of="Sent" n>{count(s.events_sent)}</Cell>
      <Cell of="Rate" n>{perSecond(rate)}</Cell>
      <Cell of="Lag" n>{s.caught_up && num(s.lag ? seconds(s.lag) : 0) === 0 ? <span class="muted">none</span> : <span class={seconds(s.lag) > 60 ? "warntext" : undefined}>{span(seconds(s.lag))}</span>}</Cell>
      <Cell of="Since"><Age of={s.started_at} /></Cell>
    </tr>
  );
}
