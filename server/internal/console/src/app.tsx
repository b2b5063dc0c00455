import { useEffect, useState } from "preact/hooks";
import { isSignedIn } from "./api";
import { CodePage } from "./code";
import { EventsPage } from "./events";
import { ago, moment } from "./format";
import { LogPage } from "./log";
import { Failure, isTyping } from "./parts";
import { QuarantinePage } from "./quarantine";
import { hrefOf, type Page, route } from "./route";
import { session } from "./session";
import { SignIn } from "./signin";
import { isSecretWrong, SourcesPage } from "./sources";
import { useChanges } from "./store";
import { StreamsPage } from "./streams";
import { SubscriptionsPage } from "./subscriptions";

const TITLES: Record<Page, string> = {
  events: "Events", sources: "Sources", streams: "Streams", subscriptions: "Subscriptions", log: "Log", quarantine: "Quarantine", code: "Code",
};
const FOR_ALL: readonly Page[] = ["events", "code"];
const ORDER: readonly Page[] = ["events", "code", "sources", "streams", "subscriptions", "log", "quarantine"];

/** The query that events and code share: the filter at hand. */
let shared: [string, string][] = [];

export function App() {
  useChanges(session, route);
  const { state } = session;
  const title = TITLES[route.page];
  useEffect(() => {
    document.title = `${title} · Headgate`;
    document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [title, state.kind]);
  if (FOR_ALL.includes(route.page)) shared = [...route.query];
  switch (state.kind) {
    case "asking":
      return <main class="alone"><p class="muted" role="status">Asking the gateway…</p></main>;
    case "unreachable":
      return <main class="alone"><Failure error={state.error} /><p class="muted" role="status">Trying again every two seconds.</p></main>;
    case "signedOut":
      return <SignIn ended={state.ended} />;
  }
  const pages = ORDER.filter((page) => state.operator || FOR_ALL.includes(page));
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
      <header class="side">
        <div class="brand"><Mark /><span>Headgate</span></div>
        <nav aria-label="Pages">
          {pages.map((page, i) => (
            <a key={page} href={hrefOf(page, FOR_ALL.includes(page) ? shared : [])} aria-current={page === route.page ? "page" : undefined} accessKey={String(i + 1)}>
              {TITLES[page]}
              <Badge page={page} />
            </a>
          ))}
        </nav>
        <Foot operator={state.operator} />
      </header>
      <main id="main" tabIndex={-1}>
        <Banner operator={state.operator} />
        {pages.includes(route.page) ? <Current page={route.page} /> : <ForOperators page={route.page} />}
      </main>
      <Keys />
    </div>
  );
}

function Current({ page }: { page: Page }) {
  switch (page) {
    case "events": return <EventsPage />;
    case "sources": return <SourcesPage />;
    case "streams": return <StreamsPage />;
    case "subscriptions": return <SubscriptionsPage />;
    case "log": return <LogPage />;
    case "quarantine": return <QuarantinePage />;
    case "code": return <CodePage />;
  }
}

function ForOperators({ page }: { page: Page }) {
  return (
    <section class="empty">
      <h1>{TITLES[page]}</h1>
      <p>This page is for operators. You are a reader: you see <a href={hrefOf("events")}>events</a> that you may read, and the <a href={hrefOf("code")}>code</a> that reads them.</p>
    </section>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M7 7v18M25 7v18M7 12h18" />
      <path class="water" d="M11 19.500c1.700-1.600 3.300-1.600 5 0s3.300 1.600 5 0M11 24.500c1.700-1.600 3.300-1.600 5 0s3.300 1.600 5 0" />
    </svg>
  );
}

/** What asks to be looked at, beside a page's name. */
function Badge({ page }: { page: Page }) {
  const { gateway } = session;
  useChanges(gateway);
  const { status } = gateway;
  if (page === "quarantine" && Number(status?.log?.quarantined ?? 0) > 0) return <span class="badge warn">{String(status?.log?.quarantined)}</span>;
  if (page === "streams" && status) return <span class="badge">{status.streams ?? 0}</span>;
  const troubled = status?.sources?.filter((s) => s.stopped || (s.suspected ?? []).length > 0 || isSecretWrong(s)).length ?? 0;
  if (page === "sources" && troubled > 0) return <span class="badge bad">{troubled}</span>;
  return null;
}

function Banner({ operator }: { operator: boolean }) {
  const { gateway } = session;
  useChanges(gateway);
  if (!operator) return null;
  if (gateway.error !== undefined) return <Failure error={gateway.error} />;
  if (gateway.status && !gateway.status.ready) return <div class="notice bad" role="alert"><strong>Not ready.</strong> {gateway.status.problem}</div>;
  return null;
}

function Foot({ operator }: { operator: boolean }) {
  const { gateway } = session;
  useChanges(gateway);
  const { status } = gateway;
  return (
    <footer>
      {operator
        ? status && (
          <p title={`Started ${moment(status.started_at)}`}>
            <span class={`dot ${status.ready ? "good" : "bad"}`} aria-hidden="true" />{status.ready ? "Ready" : "Not ready"}
            <br /><span class="muted">{status.version || "unversioned"} · started {ago(status.started_at)}</span>
          </p>
        )
        : <p class="muted">You are a reader. Sources, streams, the log and the quarantine are for operators.</p>}
      <button type="button" class="plain wide" onClick={() => dispatchEvent(new KeyboardEvent("keydown", { key: "?" }))}>Keys</button>
      {isSignedIn() && <button type="button" class="plain" onClick={() => void session.leave()}>Sign out</button>}
    </footer>
  );
}

const KEYS: [string, string][] = [
  ["Space", "pause or resume the events"],
  ["j  k", "next and previous event; the arrow keys do so too"],
  ["Enter", "open or close an event"],
  ["/", "add to the filter"],
  ["1 – 7", "go to a page"],
  ["Esc", "close what is open"],
  ["?", "this list"],
];

/** The keys of all pages. Those of the events are on their page. */
function Keys() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const press = (e: KeyboardEvent): void => {
      if (e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) return;
      if (e.key === "Escape") setOpen(false);
      else if (e.key === "?") setOpen((was) => !was);
      else if (/^[1-7]$/.test(e.key)) document.querySelectorAll<HTMLAnchorElement>("nav a")[Number(e.key) - 1]?.click();
      else return;
      if (e.key !== "Escape") e.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  if (!open) return null;
  return (
    <div class="keys" role="dialog" aria-label="Keys">
      <dl>{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
    </div>
  );
}
