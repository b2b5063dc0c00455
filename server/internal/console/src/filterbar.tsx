import { useEffect, useRef, useState } from "preact/hooks";
import { type Field, type Filter, FIELDS, isEmpty, isNumber, toggled, valuesOf } from "./filter";
import { session } from "./session";

/** The filter as chips, and a menu for each of its fields. */
export function FilterBar({ filter, change }: { filter: Filter; change: (filter: Filter) => void }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A menu closes when one goes elsewhere.
    const away = (e: Event): void => {
      for (const menu of bar.current?.querySelectorAll("details[open]") ?? []) {
        if (!(e.target instanceof Node && menu.contains(e.target))) menu.removeAttribute("open");
      }
    };
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
    };
  }, []);
  return (
    <div class="filterbar" ref={bar}>
      <div class="facets">{FIELDS.map((field) => <Menu key={field.key} field={field} filter={filter} change={change} />)}</div>
      {!isEmpty(filter) && (
        <ul class="chips" aria-label="Filter">
          {FIELDS.flatMap((field) => valuesOf(filter, field.key).map((value) => (
            <li key={field.key + value}>
              <button type="button" class="chip" aria-label={`Remove ${field.label} ${value}`} onClick={() => change(toggled(filter, field.key, value))}>
                <span class="muted">{field.label}</span> {value} <span aria-hidden="true">×</span>
              </button>
            </li>
          )))}
          <li><button type="button" class="plain" onClick={() => change({})}>Clear</button></li>
        </ul>
      )}
    </div>
  );
}

function Menu({ field, filter, change }: { field: Field; filter: Filter; change: (filter: Filter) => void }) {
  const details = useRef<HTMLDetailsElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const chosen = valuesOf(filter, field.key);
  const options = [...new Set([...chosen, ...suggestions(field)])].filter((name) => name.toLowerCase().includes(typed.toLowerCase()));
  const add = (e: Event): void => {
    e.preventDefault();
    const value = typed.trim();
    if (value && !chosen.includes(value)) change(toggled(filter, field.key, value));
    setTyped("");
  };
  const press = (e: KeyboardEvent): void => {
    if (e.key !== "Escape") return;
    details.current?.removeAttribute("open");
    details.current?.querySelector("summary")?.focus();
  };
  return (
    <details ref={details} onKeyDown={press} onToggle={(e) => { if (e.currentTarget.open) input.current?.focus(); }}>
      <summary>{field.label}{chosen.length > 0 && <span class="badge">{chosen.length}</span>}</summary>
      <form class="menu" onSubmit={add}>
        <div class="line">
          <input ref={input} value={typed} inputMode={isNumber(field) ? "numeric" : "text"} placeholder={field.hint} aria-label={`${field.label} to add`} spellcheck={false} autocomplete="off"
            onInput={(e) => setTyped(e.currentTarget.value)} />
          <button type="submit" class="small" disabled={!typed.trim()}>Add</button>
        </div>
        {isNumber(field) && <p class="muted">Numbers mean something only within one tenant: choose one source and one context, too.</p>}
        {field.key === "changed_fields" && <p class="muted">Narrows only events whose action is “changed”.</p>}
        {options.length > 0 && (
          <ul>
            {options.slice(0, 100).map((name) => (
              <li key={name}><label><input type="checkbox" checked={chosen.includes(name)} onChange={() => change(toggled(filter, field.key, name))} /> {name}</label></li>
            ))}
          </ul>
        )}
      </form>
    </details>
  );
}

/** Names that the field can have, as far as the gateway knows them. */
function suggestions({ key }: Field): string[] {
  const types = session.log.known_event_types ?? [];
  const tenants = session.log.tenants ?? [];
  switch (key) {
    case "event_types":
      return types;
    case "entities":
      return types.map((type) => type.slice(0, type.lastIndexOf(".")));
    case "actions":
      return types.map((type) => type.slice(type.lastIndexOf(".") + 1)).sort();
    case "contexts":
      return tenants.map((t) => t.context ?? "").filter(Boolean);
    case "sources":
      return tenants.map((t) => t.source ?? "").filter(Boolean);
  }
  return [];
}
