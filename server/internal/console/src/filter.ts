import type { FilterMessage, HeadgateEvent } from "./types";

/** The fields of a filter, in the order in which people look for them. */
export const FIELDS = [
  { key: "entities", label: "Entity", flag: "--entity", hint: "relation" },
  { key: "event_types", label: "Event type", flag: "--event-type", hint: "relation.created" },
  { key: "actions", label: "Action", flag: "--action", hint: "created" },
  { key: "contexts", label: "Context", flag: "--context", hint: "Cust26759" },
  { key: "sources", label: "Source", flag: "--source", hint: "acme" },
  { key: "primary_keys", label: "Primary key", flag: "--primary-key", hint: "20", number: true },
  { key: "changed_fields", label: "Changed field", flag: "--changed-field", hint: "updated" },
  { key: "exclude_changed_by_associate_ids", label: "Not changed by", flag: "--exclude-changed-by", hint: "5", number: true },
] as const;

export type Field = (typeof FIELDS)[number];
export type FilterKey = Field["key"];

/** Which events: the same as the API's Filter, every value as its text. */
export type Filter = Readonly<Partial<Record<FilterKey, readonly string[]>>>;

export function isNumber(field: Field): boolean {
  return "number" in field;
}

export function valuesOf(filter: Filter, key: FilterKey): readonly string[] {
  return filter[key] ?? [];
}

export function isEmpty(filter: Filter): boolean {
  return FIELDS.every(({ key }) => valuesOf(filter, key).length === 0);
}

export function withValues(filter: Filter, key: FilterKey, values: readonly string[]): Filter {
  const { [key]: _, ...rest } = filter;
  return values.length ? { ...rest, [key]: [...new Set(values)] } : rest;
}

export function toggled(filter: Filter, key: FilterKey, value: string): Filter {
  const values = valuesOf(filter, key);
  return withValues(filter, key, values.includes(value) ? values.filter((v) => v !== value) : [...values, value]);
}

/** The one record of an event. Its number means something only within its source and context. */
export function recordOf(event: HeadgateEvent): Filter {
  return { entities: [event.entity], contexts: [event.context], sources: [event.source], primary_keys: [String(event.primary_key)] };
}

/** The filter as query parameters, named as in the API, so that the page's address and a request's look the same. */
export function toQuery(filter: Filter): [string, string][] {
  return FIELDS.flatMap(({ key }) => valuesOf(filter, key).map((value): [string, string] => [`filter.${key}`, value]));
}

export function fromQuery(query: URLSearchParams): Filter {
  // Others make links to this page: what is no number, where one should be, could be anything, code too.
  const isOne = (field: Field, value: string): boolean => value !== "" && (!isNumber(field) || /^-?\d{1,19}$/.test(value));
  return FIELDS.reduce<Filter>((filter, field) => withValues(filter, field.key, query.getAll(`filter.${field.key}`).filter((value) => isOne(field, value))), {});
}

/** The filter as the body of a request has it. What is no number is left a text, so that the gateway refuses it in its own words. */
export function toMessage(filter: Filter): Record<string, (string | number)[]> {
  const message: Record<string, (string | number)[]> = {};
  for (const field of FIELDS) {
    const values = valuesOf(filter, field.key);
    if (values.length) message[field.key] = values.map((v) => (isNumber(field) && /^-?\d+$/.test(v) ? Number(v) : v));
  }
  return message;
}

export function fromMessage(message: FilterMessage | undefined): Filter {
  return FIELDS.reduce<Filter>((filter, { key }) => withValues(filter, key, (message?.[key] ?? []).map(String)), {});
}
