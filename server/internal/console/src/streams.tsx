import { useEffect, useState } from "preact/hooks";
import { ApiError, post, wordsOf } from "./api";
import { fromMessage } from "./filter";
import { Age, capital, Cell, Copy, Empty, FilterWords, sentence, State, Table } from "./parts";
import { count, perSecond, seconds, span, words } from "./format";
import { session } from "./session";
import { useChanges } from "./store";
import type { Stream } from "./types";

const MOST = 500;

export function StreamsPage() {
  const { gateway } = session;
  useChanges(gateway);
  useEffect(() => gateway.watchStreams(), []);
  const [report, setReport] = useState<{ kind: "good" | "bad"; text: string } | undefined>(undefined);
  const { streams } = gateway;
  const end = async (stream: Stream): Promise<void> => {
    try {
      await post(`/admin/v1/streams/${encodeURIComponent(stream.id)}:end`, {});
      setReport({ kind: "good", text: `The stream of ${nameOf(stream)} is ending. Its client comes back by itself, after half a minute.` });
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 404;
      setReport({ kind: "bad", text: gone ? "That stream has ended by itself." : sentence(wordsOf(error)) });
    }
    gateway.ask();
  };
  return (
    <section>
      <header class="head"><h1>Streams</h1><p class="muted">Readers that are connected. Sent is not handled: see subscriptions for that.</p></header>
      {report && <div class={`notice ${report.kind}`} role="status">{report.text} <button type="button" class="tiny" onClick={() => setReport(undefined)}>Close</button></div>}
      {streams === undefined ? <Empty title="Asking the gateway…" /> : streams.length === 0 ? <Empty title="Nobody is connected." /> : (
        <>
          <Table label="Streams" head={["Reader", "Filter", "State", ["Sent", "n"], ["Rate", "n"], ["Lag", "n"], "Since", ""]}>
            <tbody>{streams.slice(0, MOST).map((stream) => <One key={stream.id} stream={stream} rate={gateway.streamRate(stream)} end={end} />)}</tbody>
          </Table>
          {streams.length > MOST && <p class="muted foot">The oldest {MOST} of {count(streams.length)} streams are shown. <code>headgate streams</code> shows all.</p>}
        </>
      )}
    </section>
  );
}

function nameOf(s: Stream): string {
  return [s.reader || "anybody", s.client_name].filter(Boolean).join(", ");
}

function One({ stream: s, rate, end }: { stream: Stream; rate: number | undefined; end: (stream: Stream) => Promise<void> }) {
  return (
    <tr>
      <Cell of="Reader"><b>{s.reader || "anybody"}</b><small>{[s.client_name, s.peer].filter(Boolean).join(" · ")}</small></Cell>
      <Cell of="Filter"><FilterWords filter={fromMessage(s.filter)} />{s.subscription && <small>subscription {s.subscription}</small>}</Cell>
      <Cell of="State"><State tone={TONES[s.state ?? ""]}>{capital(words(s.state, "STATE_")) || "–"}</State></Cell>
      <Cell of="Sent" n>{count(s.events_sent)}</Cell>
      <Cell of="Rate" n>{perSecond(rate)}</Cell>
      <Cell of="Lag" n>{seconds(s.lag) === 0 ? <span class="muted">none</span> : <span class={seconds(s.lag) > 60 ? "warntext" : undefined}>{span(seconds(s.lag))}</span>}</Cell>
      <Cell of="Since"><Age of={s.started_at} /></Cell>
      <td class="acts"><span>{s.cursor && <Copy label="Copy cursor" text={() => s.cursor ?? ""} />}<End stream={s} end={end} /></span></td>
    </tr>
  );
}

const TONES: Record<string, "good" | "calm" | "bad"> = { STATE_LIVE: "good", STATE_REPLAYING: "calm", STATE_STALLED: "bad" };

/** Asks once more before it ends somebody's stream. */
function End({ stream, end }: { stream: Stream; end: (stream: Stream) => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  if (!asking) return <button type="button" class="small" aria-label={`End the stream of ${nameOf(stream)}`} onClick={() => setAsking(true)}>End…</button>;
  return (
    <>
      <button type="button" class="small danger" autofocus onClick={() => { setAsking(false); void end(stream); }} onKeyDown={(e) => { if (e.key === "Escape") setAsking(false); }}>End it</button>
      <button type="button" class="small" onClick={() => setAsking(false)}>Keep</button>
    </>
  );
}
