import { useEffect, useState } from "preact/hooks";
import { count, seconds, span } from "./format";
import { fromMessage } from "./filter";
import { Age, Cell, Copy, Empty, Failure, FilterWords, Table } from "./parts";
import { usePolled } from "./polled";
import { session } from "./session";
import { useChanges } from "./store";
import type { ReaderSubscription, Stream } from "./types";

export function SubscriptionsPage() {
  const { value, error } = usePolled<{ subscriptions?: ReaderSubscription[] }>("/admin/v1/subscriptions", 5000);
  const list = value?.subscriptions ?? [];
  const { gateway } = session;
  useChanges(gateway);
  useEffect(() => gateway.watchStreams(), []);
  return (
    <section>
      <header class="head"><h1>Subscriptions</h1><p class="muted">Named positions of readers. Lag is the age of the oldest event that is not saved as handled.</p></header>
      {error !== undefined && <Failure error={error} />}
      {value === undefined ? error === undefined && <Empty title="Asking the gateway…" /> : list.length === 0 ? (
        <Empty title="There are no subscriptions."><p>A reader makes one by subscribing with a name: the <a href="#/code">code</a> page shows how.</p></Empty>
      ) : (
        <Table label="Subscriptions" head={["Subscription", "Filter", ["Lag", "n"], "Last saved", ["Served", "n"], ["Standing by", "n"], "Position"]}>
          {list.map((one) => <One key={`${one.reader}/${one.subscription.name}`} one={one} streams={gateway.streams ?? []} />)}
        </Table>
      )}
    </section>
  );
}

function One({ one, streams }: { one: ReaderSubscription; streams: readonly Stream[] }) {
  const [open, setOpen] = useState(false);
  const s = one.subscription;
  const shards = one.shards ?? [];
  const only = shards.length === 1 ? shards[0] : undefined;
  return (
    <tbody>
      <tr>
        <Cell of="Subscription">
          <b>{s.name}</b>{s.endangered && <span class="badge bad" title="The retention is close to the saved position: what is not handled soon is removed">endangered</span>}
          <small>{one.reader || "anybody"}{only?.client_name ? ` · ${only.client_name}` : ""}</small>
        </Cell>
        <Cell of="Filter"><Filters streams={streams.filter((stream) => stream.subscription === s.name && stream.reader === one.reader)} /></Cell>
        <Cell of="Lag" n><Lag of={s.lag} /></Cell>
        <Cell of="Last saved"><Age of={s.saved_at} /></Cell>
        <Cell of="Served" n>{count(s.served)} of {count(s.shard_count)}</Cell>
        <Cell of="Standing by" n>{count(s.standing_by)}</Cell>
        <Cell of="Position">
          {only ? <Cursor of={only.cursor} /> : <button type="button" class="small" aria-expanded={open} onClick={() => setOpen(!open)}>{count(s.shard_count)} shards</button>}
        </Cell>
      </tr>
      {open && shards.map((shard) => (
        <tr key={shard.index ?? 0} class="part">
          <Cell of="Shard">shard {shard.index ?? 0}<small>{[shard.client_name, shard.member].filter(Boolean).join(" · ") || "served to nobody"}</small></Cell>
          <Cell of="Filter" />
          <Cell of="Lag" n><Lag of={shard.lag} /></Cell>
          <Cell of="Last saved"><Age of={shard.saved_at} /></Cell>
          <Cell of="Served" n>{shard.member ? "yes" : "no"}</Cell>
          <Cell of="Standing by" n />
          <Cell of="Position"><Cursor of={shard.cursor} /></Cell>
        </tr>
      ))}
    </tbody>
  );
}

/** The filters of its members, which should be one. */
function Filters({ streams }: { streams: readonly Stream[] }) {
  const different = new Map(streams.map(({ filter }) => [JSON.stringify(filter ?? {}), filter]));
  if (different.size === 0) return <span class="muted">no member</span>;
  return (
    <>
      {[...different.values()].map((filter, i) => <div key={i}><FilterWords filter={fromMessage(filter)} /></div>)}
      {different.size > 1 && <span class="badge bad" title="An event goes to one member. When that one's filter leaves it out, nobody gets it.">members differ</span>}
    </>
  );
}

function Lag({ of }: { of: string | undefined }) {
  if (of === undefined) return <span class="muted">none</span>;
  return <span class={seconds(of) > 60 ? "warntext" : undefined}>{span(seconds(of))}</span>;
}

function Cursor({ of }: { of: string | undefined }) {
  return of ? <><code>{of}</code> <Copy text={() => of} /></> : <span class="muted">–</span>;
}
