import { useState } from "preact/hooks";
import { ApiError, get, wordsOf } from "./api";
import { show } from "./events";
import { fromQuery, recordOf, toggled, type FilterKey } from "./filter";
import { bytes, moment } from "./format";
import { Copy, sentence } from "./parts";
import { route } from "./route";
import { plain } from "./summary";
import type { HeadgateEvent, Values } from "./types";

/** Everything that is known of an event. */
export function Detail({ event }: { event: HeadgateEvent }) {
  return (
    <div class="detail">
      <div class="actions">
        {event.primary_key !== undefined && <button type="button" class="small" onClick={() => show(recordOf(event), "earliest")}>Only this record</button>}
        <Copy label="Copy JSON" text={() => JSON.stringify(event, null, 2)} />
        <Copy label="Copy cursor" text={() => event.cursor} />
      </div>
      <div class="columns">
        <section>
          <h3>Event</h3>
          <dl>
            <Facet name="event type" field="event_types" value={event.event_type} />
            <Facet name="entity" field="entities" value={event.entity} />
            {event.action && <Facet name="action" field="actions" value={event.action} />}
            <Facet name="context" field="contexts" value={event.context} />
            <Facet name="source" field="sources" value={event.source} />
            <Value name="primary key" value={event.primary_key} />
            <Value name="changed by" value={event.changed_by_associate_id} />
            <Value name="webhook" value={event.webhook_name} />
            <Time name="occurred" value={event.occurred_at} />
            <Time name="received" value={event.received_at} />
            <Time name="first received" value={event.first_received_at} />
            <Value name="event id" value={event.event_id} />
            <Value name="cursor" value={event.cursor} />
            <Value name="trace" value={event.traceparent} />
          </dl>
        </section>
        <Payload title="Relation" values={event.relation} />
        <Payload title="Associate" values={event.associate} />
        <Payload title="Fields" values={event.fields} />
        {event.changed_fields && event.changed_fields.length > 0 && (
          <section><h3>Columns written</h3><ul class="tags">{event.changed_fields.map((name, i) => <li key={i}>{name}</li>)}</ul></section>
        )}
      </div>
      <RawBody cursor={event.cursor} />
    </div>
  );
}

function Value({ name, value }: { name: string; value: unknown }) {
  return value === undefined ? null : <div><dt>{name}</dt><dd>{plain(value)}</dd></div>;
}

function Time({ name, value }: { name: string; value: string | undefined }) {
  return value === undefined ? null : <div><dt>{name}</dt><dd title={value}>{moment(value)}</dd></div>;
}

/** A value that a filter can have. */
function Facet({ name, field, value }: { name: string; field: FilterKey; value: string }) {
  const filter = fromQuery(route.query);
  const on = filter[field]?.includes(value) ?? false;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value} <button type="button" class="tiny" aria-pressed={on} aria-label={`${on ? "Take from" : "Add to"} the filter: ${name} ${value}`} onClick={() => show(toggled(filter, field, value))}>{on ? "− filter" : "+ filter"}</button></dd>
    </div>
  );
}

function Payload({ title, values }: { title: string; values: Values | undefined }) {
  if (!values) return null;
  const entries = Object.entries(values);
  return (
    <section>
      <h3>{title}</h3>
      {entries.length ? <dl>{entries.map(([name, value]) => <Value key={name} name={name} value={value} />)}</dl> : <p class="muted">The CRM sent no values.</p>}
    </section>
  );
}

type Raw = { kind: "closed" } | { kind: "asking" } | { kind: "refused"; why: string } | { kind: "there"; text: string; size: number };

function RawBody({ cursor }: { cursor: string }) {
  const [raw, setRaw] = useState<Raw>({ kind: "closed" });
  const ask = async (): Promise<void> => {
    setRaw({ kind: "asking" });
    try {
      const answer = await get<{ raw_body?: string }>(`/v1/events/${encodeURIComponent(cursor)}?include_raw_body=true`);
      setRaw({ kind: "there", ...decoded(answer.raw_body) });
    } catch (error) {
      const forbidden = error instanceof ApiError && error.reason === "RAW_BODY_FORBIDDEN";
      setRaw({ kind: "refused", why: forbidden ? "You may read this event, but not the CRM's request body." : sentence(wordsOf(error)) });
    }
  };
  switch (raw.kind) {
    case "closed":
    case "asking":
      return <button type="button" class="small" disabled={raw.kind === "asking"} onClick={() => void ask()}>Show raw body</button>;
    case "refused":
      return <p class="muted" role="alert">{raw.why}</p>;
    case "there":
      return <section><h3>Raw body <span class="muted">{bytes(raw.size)}, as received</span> <Copy text={() => raw.text} /></h3><pre class="raw">{raw.text}</pre></section>;
  }
}

/** The bytes of a body as text. */
export function decoded(base64: string | undefined): { text: string; size: number } {
  const all = Uint8Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0));
  return { text: new TextDecoder().decode(all), size: all.length };
}
