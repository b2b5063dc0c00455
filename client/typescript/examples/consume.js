// Handles the events of a named subscription, whose position the gateway keeps. Run it twice: the two share the events. Interrupt it and run it again: it goes on where
// it was.
//
//   node examples/consume.js [host:port]
import { connect, Entity } from "@headgate/client";

const client = connect(process.argv[2] ?? "127.0.0.1:9090");
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const subscription = { name: "links", shards: 4, start: "earliest", filter: { entities: [Entity.Relation] }, signal: stop.signal };
await client.consume(subscription, async (message, signal) => {
  // What is thrown here has the message come again; returning has handled it. signal aborts when somebody else has the shard.
  signal.throwIfAborted();
  if (message.kind === "event") console.log(`shard ${message.shard}:`, message.event.eventType, message.event.primaryKey);
  if (message.kind === "gap") console.log(`shard ${message.shard}: something may be missing here: reconcile with the CRM`);
});
client.close();
