import type { Erased, Gap, HeadgateEvent, Values } from "./types";
import { moment, words } from "./format";

/** What of an event fits on one line. */
export function summaryOf(event: HeadgateEvent): string {
  const parts = [ends(event.relation), person(event.associate)];
  if (event.action === "changed" && event.changed_fields?.length) parts.push(event.changed_fields.join(", "));
  if (!event.relation && !event.associate && event.fields) parts.push(Object.entries(event.fields).map(([k, v]) => `${k} ${plain(v)}`).join(", "));
  return parts.filter(Boolean).join("  ·  ");
}

function ends(relation: Values | undefined): string {
  if (relation?.source_record === undefined) return "";
  const end = (which: string): string => `${plain(relation[`${which}_entity`] ?? `table ${plain(relation[`${which}_table`] ?? "?")}`)} ${plain(relation[`${which}_record`] ?? "?")}`;
  return `${end("source")} → ${end("destination")}`;
}

function person(associate: Values | undefined): string {
  if (!associate) return "";
  const parts = [];
  if (associate.person_id !== undefined) parts.push(`person ${plain(associate.person_id)}`);
  if (associate.group_idx !== undefined) parts.push(`group ${plain(associate.group_idx)}`);
  if (associate.deleted === true) parts.push("retired");
  return parts.join(", ");
}

/** A value as text. */
export function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function gapWords(gap: Gap): string {
  const where = [gap.source ? `of ${gap.source}` : "of all sources", gap.contexts?.length ? `(${gap.contexts.join(", ")})` : ""].filter(Boolean).join(" ");
  const why = gap.cause ? `${words(gap.reason, "REASON_")}, ${words(gap.cause, "CAUSE_")}` : words(gap.reason, "REASON_");
  const [from, to] = [moment(gap.from_time), moment(gap.to_time)];
  const when = !gap.from_time && !gap.to_time ? "" : from === to ? `, at ${from}` : gap.from_time ? `, between ${from} and ${to}` : `, until ${to}`;
  return `Something ${where} may be missing here: ${why || "unknown"}${when}.`;
}

export function erasedWords(erased: Erased): string {
  return `An event stood here and was removed on request: ${[erased.entity, erased.context, erased.source].filter(Boolean).join(" · ")}.`;
}
