import { Component, type RefObject } from "preact";
import { Detail } from "./detail";
import type { Row } from "./feed";
import { clock, count, moment } from "./format";
import { erasedWords, gapWords, summaryOf } from "./summary";

export function Rows({ list, rows, open, hold }: { list: RefObject<HTMLOListElement | null>; rows: readonly Row[]; open: () => void; hold: () => void }) {
  return <ol class="rows" ref={list} onPointerMove={hold}>{rows.map((row) => <OneRow key={row.key} row={row} open={open} />)}</ol>;
}

/** One row. An event never changes, so it is rendered anew only when it is opened or closed. */
class OneRow extends Component<{ row: Row; open: () => void }, { open: boolean }> {
  override state = { open: false };

  override shouldComponentUpdate(_: unknown, next: { open: boolean }): boolean {
    return next.open !== this.state.open;
  }

  readonly toggle = (): void => {
    if (!this.state.open) this.props.open();
    this.setState(({ open }) => ({ open: !open }));
  };

  readonly press = (e: KeyboardEvent): void => {
    if (e.key !== "Escape" || !this.state.open) return;
    this.setState({ open: false });
    if (e.currentTarget instanceof HTMLElement) e.currentTarget.querySelector("button")?.focus();
  };

  override render() {
    const { row } = this.props;
    switch (row.kind) {
      case "gap":
        return <li class="row signal warn" data-cursor={row.cursor}><span class="time">{row.at ? clock(row.at) : ""}</span><span><b>Gap.</b> {gapWords(row.gap)}</span></li>;
      case "passed":
        return <li class="row signal passed"><span class="time" /><span>{count(row.events)} {row.events === 1 ? "event was" : "events were"} passed over here: they came faster than they can be shown.</span></li>;
      case "erased":
        return <li class="row signal" data-cursor={row.cursor}><span class="time" /><span><b>Erased.</b> {erasedWords(row.erased)}</span></li>;
    }
    const { event } = row;
    const { open } = this.state;
    return (
      <li class="row" data-cursor={row.cursor} onKeyDown={this.press}>
        <button type="button" aria-expanded={open} onClick={this.toggle}>
          <span class="time" title={moment(event.received_at)}>{clock(event.received_at)}</span>
          <span class={`type ${toneOf(event.action)}`}>{event.event_type}</span>
          <span class="tenant">{event.context}<span class="muted"> · {event.source}</span></span>
          <span class="pk">{event.primary_key === undefined ? "" : `#${event.primary_key}`}</span>
          <span class="summary">{summaryOf(event)}</span>
          <span class="by">{event.changed_by_associate_id === undefined ? "" : `by ${event.changed_by_associate_id}`}</span>
        </button>
        {open && <Detail event={event} />}
      </li>
    );
  }
}

function toneOf(action: string | undefined): string {
  switch (action) {
    case "created":
      return "good";
    case "changed":
    case "edited":
      return "calm";
    case "deleted":
    case "softdeleted":
      return "bad";
  }
  return "other";
}
