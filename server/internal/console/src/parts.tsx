import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { wordsOf } from "./api";
import { type Filter, FIELDS, isEmpty, valuesOf } from "./filter";
import { ago, moment } from "./format";
import { useClock } from "./store";

export function Failure({ error }: { error: unknown }) {
  return <div class="notice bad" role="alert">{sentence(wordsOf(error))}</div>;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p><strong>{title}</strong></p>{children}</div>;
}

/** The gateway's words as a sentence. A name of the API's stays as it is. */
export function sentence(text: string): string {
  const begun = /^[a-z]+( |$)/.test(text) ? capital(text) : text;
  return /[.!?…]\)?$/.test(begun) ? begun : `${begun}.`;
}

/** A time as its age, which grows; the time itself is its title. */
export function Age({ of, none = "never" }: { of: string | undefined; none?: string }) {
  const now = useClock();
  return of === undefined ? <span class="muted">{none}</span> : <time dateTime={of} title={moment(of)}>{ago(of, now)}</time>;
}

/** Copies a text, and says so. */
export function Copy({ text, label = "Copy" }: { text: () => string; label?: string }) {
  const [said, say] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text());
      say("Copied");
    } catch {
      say("Not allowed here: mark the text and copy it"); // without TLS browsers have no clipboard
    }
    setTimeout(() => say(""), 1500);
  };
  return <button type="button" class="small" onClick={() => void copy()}><span aria-live="polite">{said || label}</span></button>;
}

/** A state as a dot and a word. */
export function State({ tone = "", children }: { tone?: "good" | "calm" | "warn" | "bad" | ""; children: ComponentChildren }) {
  return <span class="state"><span class={`dot ${tone}`} aria-hidden="true" />{children}</span>;
}

/** A filter in words. */
export function FilterWords({ filter }: { filter: Filter }) {
  if (isEmpty(filter)) return <span class="muted">everything</span>;
  return (
    <span class="filterwords">
      {FIELDS.filter(({ key }) => valuesOf(filter, key).length > 0).map(({ key, label }) => (
        <span key={key}><span class="muted">{label.toLowerCase()}</span> {valuesOf(filter, key).join(", ")}</span>
      ))}
    </span>
  );
}

/** A table that becomes a list of cards where there is no room for one. */
export function Table({ label, head, children }: { label: string; head: (string | [string, "n"])[]; children: ComponentChildren }) {
  return (
    <div class="scroll">
      <table class="cards" aria-label={label}>
        <thead><tr>{head.map((h) => (typeof h === "string" ? <th key={h} scope="col">{h}</th> : <th key={h[0]} scope="col" class="n">{h[0]}</th>))}</tr></thead>
        {children}
      </table>
    </div>
  );
}

export function Cell({ of, n = false, children }: { of: string; n?: boolean; children?: ComponentChildren }) {
  return <td data-label={of} class={n ? "n" : undefined}><span>{children}</span></td>;
}

/** Whether a key is meant for a field. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement ? target.type !== "checkbox" : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
