import { useEffect, useState } from "preact/hooks";
import { get, post, wordsOf } from "./api";
import { decoded } from "./detail";
import { bytes, count, words } from "./format";
import { Age, capital, Copy, Empty, Failure, sentence } from "./parts";
import { go, route } from "./route";
import { session } from "./session";
import { useChanges } from "./store";
import type { Count, Quarantined, Reprocessed } from "./types";

const PAGE = 100;

interface Page {
  quarantined?: Quarantined[];
  has_more?: boolean;
}

/** What was done last, and what came of it. */
type Report = { kind: "good" | "bad"; text: string; stays: readonly Reprocessed[] };

export function QuarantinePage() {
  useChanges(route);
  const source = route.query.get("source") ?? "";
  const [list, setList] = useState<readonly Quarantined[] | undefined>(undefined);
  const [more, setMore] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [report, setReport] = useState<Report | undefined>(undefined);

  const load = async (after: readonly Quarantined[]): Promise<void> => {
    try {
      const query = new URLSearchParams({ page_size: String(PAGE), ...(source && { source }), ...(after.length && { after_id: after.at(-1)?.id ?? "" }) });
      const page = await get<Page>(`/admin/v1/quarantine?${query}`);
      const all = [...after, ...(page.quarantined ?? [])];
      setList(all);
      setMore(page.has_more ?? false);
      setChosen((was) => new Set(all.map((q) => q.id).filter((id) => was.has(id))));
      setError(undefined);
    } catch (failure) {
      setError(failure);
    }
  };
  useEffect(() => {
    setList(undefined);
    void load([]);
  }, [source]);

  const done = (outcome: Report): void => {
    setReport(outcome);
    void load([]);
  };
  const toggle = (id: string): void => setChosen((was) => {
    const next = new Set(was);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const sources = session.gateway.status?.sources?.map((s) => s.source) ?? [];
  return (
    <section>
      <header class="head">
        <h1>Quarantine</h1>
        <p class="muted">Authentic webhooks that could not be turned into an event. In the place of each stands a gap.</p>
        <label class="since"><span>Source</span>
          <select value={source} onChange={(e) => go("quarantine", e.currentTarget.value ? [["source", e.currentTarget.value]] : [])}>
            <option value="">all</option>
            {[...new Set([...sources, ...(source ? [source] : [])])].map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
        <button type="button" class="small" onClick={() => void load([])}>Refresh</button>
      </header>
      {error !== undefined && <Failure error={error} />}
      {report && <Outcome report={report} close={() => setReport(undefined)} />}
      {list === undefined ? error === undefined && <Empty title="Asking the gateway…" /> : list.length === 0 ? <Empty title="Nothing is in quarantine."><p>All that the CRM sent became events.</p></Empty> : (
        <>
          <Actions ids={[...chosen]} done={done}
            all={<label><input type="checkbox" checked={chosen.size === list.length} onChange={() => setChosen(new Set(chosen.size === list.length ? [] : list.map((q) => q.id)))} /> {chosen.size ? `${count(chosen.size)} chosen` : "All shown"}</label>} />
          <ul class="quarantine">{list.map((q) => <One key={q.id} item={q} chosen={chosen.has(q.id)} choose={() => toggle(q.id)} />)}</ul>
          {more && <button type="button" onClick={() => void load(list)}>Show more</button>}
        </>
      )}
    </section>
  );
}

function Outcome({ report, close }: { report: Report; close: () => void }) {
  return (
    <div class={`notice ${report.kind}`} role="status">
      {report.text} <button type="button" class="tiny" onClick={close}>Close</button>
      {report.stays.length > 0 && <ul>{report.stays.map((r) => <li key={r.id}><code>{r.id}</code> {r.problem}</li>)}</ul>}
    </div>
  );
}

/** What operators do with what they chose, at most a hundred at a time. */
function Actions({ ids, all, done }: { ids: string[]; all: preact.ComponentChildren; done: (report: Report) => void }) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const run = async (action: () => Promise<Report>): Promise<void> => {
    setBusy(true);
    try {
      done(await action());
      setAsking(false);
      setReason("");
    } catch (error) {
      done({ kind: "bad", text: sentence(wordsOf(error)), stays: [] });
    } finally {
      setBusy(false);
    }
  };
  const none = busy || ids.length === 0;
  return (
    <div class="bar">
      {all}
      <button type="button" class="small" disabled={none} onClick={() => void run(() => reprocess(ids, true))}>Try, without effect</button>
      <button type="button" class="small" disabled={none} onClick={() => void run(() => reprocess(ids, false))}>Reprocess</button>
      {!asking && <button type="button" class="small danger" disabled={none} onClick={() => setAsking(true)}>Discard…</button>}
      {asking && (
        <form class="line" onSubmit={(e) => { e.preventDefault(); void run(() => discard(ids, reason.trim())); }} onKeyDown={(e) => { if (e.key === "Escape") setAsking(false); }}>
          <input value={reason} maxLength={256} placeholder="Why? It stands in the audit." aria-label="Why they are discarded" autofocus onInput={(e) => setReason(e.currentTarget.value)} />
          <button type="submit" class="small danger" disabled={none || !reason.trim()}>Discard {count(ids.length)} for good</button>
          <button type="button" class="small" onClick={() => setAsking(false)}>Keep</button>
        </form>
      )}
    </div>
  );
}

function hundreds(ids: string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / PAGE) }, (_, i) => ids.slice(i * PAGE, (i + 1) * PAGE));
}

async function reprocess(ids: string[], dryRun: boolean): Promise<Report> {
  const all: Reprocessed[] = [];
  for (const part of hundreds(ids)) {
    const answer = await post<{ reprocessed?: Reprocessed[] }>("/admin/v1/quarantine:reprocess", { ids: part, dry_run: dryRun });
    all.push(...(answer.reprocessed ?? []));
  }
  const sums = new Map<string, number>();
  for (const { outcome } of all) sums.set(words(outcome, "OUTCOME_"), (sums.get(words(outcome, "OUTCOME_")) ?? 0) + 1);
  const stays = all.filter((r) => r.outcome === "OUTCOME_STAYS");
  const text = `${dryRun ? "Would be: " : ""}${[...sums].map(([outcome, n]) => `${count(n)} ${outcome}`).join(", ")}.`;
  return { kind: stays.length ? "bad" : "good", text: capital(text), stays };
}

async function discard(ids: string[], reason: string): Promise<Report> {
  let sum = 0;
  for (const part of hundreds(ids)) sum += Number((await post<{ discarded?: Count }>("/admin/v1/quarantine:discard", { ids: part, reason })).discarded ?? 0);
  return { kind: "good", text: `${count(sum)} discarded.`, stays: [] };
}

function One({ item: q, chosen, choose }: { item: Quarantined; chosen: boolean; choose: () => void }) {
  const [body, setBody] = useState<{ text: string; bad: boolean } | undefined>(undefined);
  const open = async (): Promise<void> => {
    if (body) {
      setBody(undefined);
      return;
    }
    try {
      const answer = await get<{ raw_body?: string }>(`/admin/v1/quarantine/${encodeURIComponent(q.id)}`);
      setBody({ text: decoded(answer.raw_body).text, bad: false });
    } catch (error) {
      setBody({ text: sentence(wordsOf(error)), bad: true });
    }
  };
  return (
    <li data-id={q.id}>
      <div class="line">
        <input type="checkbox" checked={chosen} onChange={choose} aria-label={`Choose ${q.event_type || "webhook"} of ${q.source ?? ""}`} />
        <b>{q.event_type || "unknown type"}</b>
        <span>{q.context || "unknown context"}<span class="muted"> · {q.source}</span></span>
        <span class="muted"><Age of={q.received_at} /> · {bytes(q.body_size)}</span>
        <button type="button" class="small" aria-expanded={body !== undefined} onClick={() => void open()}>{body ? "Hide" : "Show"}</button>
      </div>
      <p class="problem">{q.problem}</p>
      {body && (
        <div class="detail">
          <div class="actions"><Copy label="Copy body" text={() => body.text} /><Copy label="Copy id" text={() => q.id} /><span class="muted">{q.content_type}</span></div>
          <pre class="raw">{body.text}</pre>
        </div>
      )}
    </li>
  );
}
