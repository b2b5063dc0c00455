import { useEffect, useRef } from "preact/hooks";
import { hrefOf, route, go } from "./route";
import { type Filter, fromQuery, toQuery } from "./filter";
import { FilterBar } from "./filterbar";
import { MOST_ROWS } from "./feed";
import { clock, count } from "./format";
import { capital, Copy, Empty, isTyping, sentence, State } from "./parts";
import { Rows } from "./rows";
import { session } from "./session";
import { useChanges } from "./store";
import type { StreamState } from "./stream";

const DEFAULT_SINCE = "1h";
const SINCE: [string, string][] = [
  ["latest", "from now on"], ["15m", "the last 15 minutes"], ["1h", "the last hour"], ["24h", "the last day"], ["7d", "the last week"], ["earliest", "the oldest event"],
];

export function sinceOf(query: URLSearchParams): string {
  return query.get("since") || DEFAULT_SINCE;
}

/** Where the page with another filter is. */
export function show(filter: Filter, since = sinceOf(route.query)): void {
  go("events", [...toQuery(filter), ...(since === DEFAULT_SINCE ? [] : [["since", since] as [string, string]])]);
}

export function EventsPage() {
  const { feed } = session;
  useChanges(feed, route);
  const filter = fromQuery(route.query);
  const since = sinceOf(route.query);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => feed.follow(filter, since));
  useEffect(() => keys(list), []);
  const known = SINCE.some(([value]) => value === since);
  return (
    <section>
      <header class="head">
        <h1>Events</h1>
        <Condition />
        <label class="since">
          <span>Since</span>
          <select value={since} onChange={(e) => show(filter, e.currentTarget.value)}>
            {SINCE.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
            {!known && <option value={since}>{since}</option>}
          </select>
        </label>
        <Copy label="Copy link" text={() => location.href} />
        <a class="button small wide" href={hrefOf("code", [...route.query])}>Code</a>
      </header>
      <FilterBar filter={filter} change={show} />
      <Trouble filter={filter} />
      <Figures />
      {feed.rows.length > 0
        ? <Rows list={list} rows={feed.rows} open={() => feed.pause(true)} hold={() => feed.hold()} />
        : feed.state.kind === "open" && (
          <Empty title={feed.waiting ? "Paused." : "Nothing yet."}>
            {!feed.waiting && <p>The stream is open, and events appear as they are accepted. {toQuery(filter).length > 0 && "Perhaps the filter lets too little through, or another time to begin with shows more."}</p>}
          </Empty>
        )}
      {feed.rows.length === MOST_ROWS && <p class="muted foot">The newest {MOST_ROWS} rows are shown. Older ones are in the log: a filter, or another time to begin with, brings them back.</p>}
    </section>
  );
}

/** How the stream does, in one word and a dot. */
function Condition() {
  const { feed } = session;
  useChanges(feed);
  const { state } = feed;
  const waits = state.kind === "connecting" || state.kind === "waiting";
  return (
    <p class="condition" role="status" data-waiting={waits}>
      <State tone={state.kind === "open" ? "good" : waits ? "warn" : "bad"}>{conditionOf(state, feed.caughtUp)}</State>
    </p>
  );
}

function conditionOf(state: StreamState, caughtUp: boolean): string {
  switch (state.kind) {
    case "open":
      return caughtUp ? "Live" : "Catching up";
    case "connecting":
      return "Connecting";
    case "ended":
      return "Ended";
    case "waiting": {
      const long = state.until - Date.now() > 5000;
      return `${capital(state.why)}; connecting again${long ? ` at ${clock(new Date(state.until).toISOString()).slice(0, 8)}` : ""}`;
    }
  }
}

function Trouble({ filter }: { filter: Filter }) {
  const { feed } = session;
  if (feed.state.kind === "ended") {
    const { error } = feed.state;
    const lost = error.reason.startsWith("CURSOR_");
    return (
      <div class="notice bad" role="alert">
        {sentence(error.message)}
        {lost && <> <button type="button" class="small" onClick={() => { feed.stop(); show(filter, "earliest"); }}>Begin with the oldest event</button></>}
      </div>
    );
  }
  if (feed.unknownNames.length) {
    return <div class="notice warn" role="status">Not a known name: {feed.unknownNames.join(", ")}. Nothing will come if it is misspelt.</div>;
  }
  return null;
}

/** What came, what is drawn of it, and what was not. */
function Figures() {
  const { feed } = session;
  if (feed.state.kind === "ended" && feed.received === 0) return null;
  return (
    <div class="figures">
      <button type="button" class={feed.paused ? "primary small" : "small"} aria-pressed={feed.paused} aria-keyshortcuts="Space" onClick={() => feed.pause(!feed.paused)}>
        {feed.paused ? "Resume" : "Pause"}
      </button>
      <span><b data-figure="received">{count(feed.received)}</b> received</span>
      <span><b data-figure="shown">{count(feed.rows.filter((row) => row.kind === "event").length)}</b> shown</span>
      {feed.paused && <span><b data-figure="waiting">{count(feed.waiting)}</b> waiting</span>}
      {feed.passedOver > 0 && (
        <span class="warntext" title="They came faster than rows can be shown. They are in the log.">
          <b data-figure="passed">{count(feed.passedOver)}</b> passed over, not shown
        </span>
      )}
    </div>
  );
}

/** The keys of this page. */
function keys(list: { current: HTMLOListElement | null }): () => void {
  const press = (e: KeyboardEvent): void => {
    if (e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[e.key];
    const onButton = e.target instanceof HTMLButtonElement || e.target instanceof HTMLAnchorElement || (e.target instanceof HTMLElement && e.target.closest("details"));
    if (step !== undefined && (e.key.length === 1 || inRows(e.target))) move(list.current, step);
    else if (e.key === " " && (!onButton || inRows(e.target))) session.feed.pause(!session.feed.paused);
    else if (e.key === "/") document.querySelector<HTMLElement>(".facets summary")?.focus();
    else return;
    e.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

function inRows(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches(".row > button");
}

function move(list: HTMLOListElement | null, step: number): void {
  const buttons = [...(list?.querySelectorAll<HTMLButtonElement>(".row > button") ?? [])];
  if (!buttons.length) return;
  session.feed.pause(true); // what one walks through should stay where it is
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons[at < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + step))]?.focus();
}
