import { useState } from "preact/hooks";
import { isSignedIn } from "./api";
import { fromQuery, toQuery } from "./filter";
import { FilterBar } from "./filterbar";
import { Copy } from "./parts";
import { go, route } from "./route";
import { SNIPPETS } from "./snippets";
import { useChanges } from "./store";

/** Commands and code that read what the filter lets through. */
export function CodePage() {
  useChanges(route);
  const filter = fromQuery(route.query);
  const since = route.query.get("since");
  const [chosen, choose] = useState("curl");
  const [grpc, setGrpc] = useState(`${location.hostname === "localhost" ? "127.0.0.1" : location.hostname}:9090`);
  const [start, setStart] = useState<"earliest" | "latest">(since === "latest" ? "latest" : "earliest");
  const snippet = SNIPPETS.find(({ id }) => id === chosen) ?? SNIPPETS[0];
  const text = snippet?.text({ filter, api: location.origin, grpc: grpc.trim(), token: isSignedIn(), start }) ?? "";
  const step = (e: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!by) return;
    e.preventDefault();
    const next = SNIPPETS[(SNIPPETS.findIndex(({ id }) => id === chosen) + by + SNIPPETS.length) % SNIPPETS.length];
    if (!next) return;
    choose(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <section>
      <header class="head"><h1>Code</h1><p class="muted">Reads what the filter lets through.</p></header>
      <FilterBar filter={filter} change={(f) => go("code", [...toQuery(f), ...(since ? [["since", since] as [string, string]] : [])])} />
      <div class="bar">
        <label>Begin with <select value={start} onChange={(e) => setStart(e.currentTarget.value === "latest" ? "latest" : "earliest")}>
          <option value="earliest">the oldest event</option>
          <option value="latest">what comes from now on</option>
        </select></label>
        <label>gRPC address <input value={grpc} spellcheck={false} size={22} onInput={(e) => setGrpc(e.currentTarget.value)} /></label>
      </div>
      <div class="tabs" role="tablist" aria-label="Language" onKeyDown={step}>
        {SNIPPETS.map(({ id, title }) => (
          <button key={id} id={`tab-${id}`} type="button" role="tab" aria-selected={id === chosen} aria-controls="snippet" tabIndex={id === chosen ? 0 : -1} onClick={() => choose(id)}>{title}</button>
        ))}
      </div>
      <div id="snippet" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
        <p class="line"><span class="muted">{snippet?.note}</span><Copy text={() => text} /></p>
        <pre class={snippet?.shell ? "code shell" : "code"} tabIndex={0}>{text}</pre>
        {isSignedIn() && <p class="muted">The token is not in it: put it into the environment variable HEADGATE_TOKEN.</p>}
      </div>
    </section>
  );
}
