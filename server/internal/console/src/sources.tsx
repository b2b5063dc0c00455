import { count, moment, num, perSecond, words } from "./format";
import { Age, Cell, Empty, State, Table } from "./parts";
import { hrefOf } from "./route";
import { session } from "./session";
import { useChanges } from "./store";
import type { SourceStatus } from "./types";

export function SourcesPage() {
  const { gateway } = session;
  useChanges(gateway);
  const sources = gateway.status?.sources;
  return (
    <section>
      <header class="head"><h1>Sources</h1><p class="muted">Counts are since the start of the gateway.</p></header>
      {sources === undefined ? <Empty title="Asking the gateway…" /> : sources.length === 0 ? <Empty title="No source is configured."><p><code>headgate source new</code> makes one.</p></Empty> : (
        <Table label="Sources" head={["Source", "State", ["Rate", "n"], "Last event", ["Accepted", "n"], ["Duplicates", "n"], ["Refused", "n"], ["Quarantined", "n"], ["Suspected gaps", "n"]]}>
          {sources.map((source) => <Source key={source.source} source={source} rate={gateway.sourceRate(source.source)} />)}
        </Table>
      )}
    </section>
  );
}

function Source({ source: s, rate }: { source: SourceStatus; rate: number | undefined }) {
  const causes = Object.entries(s.refused_by_cause ?? {}).filter(([, n]) => num(n) > 0);
  const remarks = remarksOf(s);
  return (
    <tbody>
      <tr>
        <Cell of="Source"><a href={hrefOf("events", [["filter.sources", s.source]])}><b>{s.source}</b></a><small>{s.contexts?.length ? s.contexts.join(", ") : "any context"}</small></Cell>
        <Cell of="State"><Health source={s} /></Cell>
        <Cell of="Rate" n>{perSecond(rate)}</Cell>
        <Cell of="Last event"><Age of={s.last_accepted_at ?? s.last_heard_at} /></Cell>
        <Cell of="Accepted" n>{count(s.accepted)}</Cell>
        <Cell of="Duplicates" n>{count(s.duplicates)}</Cell>
        <Cell of="Refused" n>{count(s.refused)}{causes.length > 0 && <small>{causes.map(([cause, n]) => `${cause.replaceAll("_", " ")} ${count(n)}`).join(", ")}</small>}</Cell>
        <Cell of="Quarantined" n>{num(s.quarantined) > 0 ? <a href={hrefOf("quarantine", [["source", s.source]])}>{count(s.quarantined)}</a> : "0"}</Cell>
        <Cell of="Suspected gaps" n>{count(s.suspected_gaps)}</Cell>
      </tr>
      {remarks.length > 0 && <tr class="remark"><td colSpan={9}>{remarks.map((remark, i) => <p key={i}>{remark}</p>)}</td></tr>}
    </tbody>
  );
}

/** As often as the CRM tries an event. A stranger's post or two are no alarm. */
const WRONG_SECRET_FROM = 3;

export function isSecretWrong(s: SourceStatus): boolean {
  return num(s.unauthenticated_in_a_row) >= WRONG_SECRET_FROM;
}

function Health({ source: s }: { source: SourceStatus }) {
  if (s.stopped) return <State tone="bad">Stopped</State>;
  if (s.suspected?.length) return <State tone="warn">Losing?</State>;
  if (isSecretWrong(s)) return <State tone="bad">Wrong secret?</State>;
  if (s.awaiting_secret_until) return <State tone="warn">Awaits its secret</State>;
  if (s.last_heard_at || s.last_accepted_at) return <State tone="good">Heard</State>;
  return <State>Never heard</State>;
}

function remarksOf(s: SourceStatus): string[] {
  const list = [];
  if (s.stopped) list.push("The CRM has stopped this feed, or will have: only a person can start it again, in the CRM. headgate sources says how.");
  if (s.suspected?.length) list.push(`Something may be getting lost right now: ${s.suspected.map((cause) => words(cause, "CAUSE_")).join(", ")}.`);
  if (s.last_suspected) list.push(`Last suspected gap: ${words(s.last_suspected.cause, "CAUSE_")}, between ${moment(s.last_suspected.from_time)} and ${moment(s.last_suspected.to_time)}. Compare that window with the CRM.`);
  if (num(s.unauthenticated_in_a_row) > 0) list.push(`Posts with a wrong signature since the last right one: ${count(s.unauthenticated_in_a_row)}. If events are missing, the CRM has another secret than the configuration, or that one has ended; if they come, somebody else found the address.`);
  if (s.awaiting_secret_until) list.push(`It has no secret yet, and answers only the test call until ${moment(s.awaiting_secret_until)}.`);
  return list;
}
