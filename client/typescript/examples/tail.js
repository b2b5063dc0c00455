// Shows the events of a gateway from the oldest on, and goes on live. Kill the gateway and start it again: it goes on where it was.
//
//   node examples/tail.js [host:port]
import { connect } from "@headgate/client";

const client = connect(process.argv[2] ?? "127.0.0.1:9090");
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const subscription = {
  start: "earliest",
  filter: { entities: ["relation"] },
  signal: stop.signal,
  onRetry: (cause, waitMs) => console.error(`again in ${Math.round(waitMs)} ms: ${cause.message}`),
};
try {
  for await (const message of client.subscribe(subscription)) {
    switch (message.kind) {
      case "event":
        console.log(`${message.event.eventType}  ${message.event.context}  #${message.event.primaryKey}  ${describe(message.event.payload)}by ${message.event.changedByAssociateId}`);
        break;
      case "gap":
        console.log("something may be missing here: reconcile with the CRM", message.gap);
        break;
    }
  }
} catch (error) {
  if (!stop.signal.aborted) throw error; // what the gateway refused
} finally {
  client.close();
}

/** A relation's two ends. All values are absent when the CRM did not send them. */
function describe({ case: entity, value }) {
  if (entity !== "relation" || value.sourceRecord === undefined) return "";
  return `${value.sourceEntity} ${value.sourceRecord} -> ${value.destinationEntity} ${value.destinationRecord}  `;
}
