/**
 * The client as the conformance kit drives it: it reads a request from its standard input and writes what the client delivers. The argument says which client:
 * node, over gRPC, or node-sse, the browser's. The protocol stands in the kit's README.
 */
import { createInterface } from "node:readline";

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { FilterSchema } from "@headgate/proto/headgate/v1/event_service_pb";

import * as browser from "../src/browser.js";
import * as node from "../src/index.js";
import { Kit, write } from "./kit.js";

interface Request {
  address: string;
  rest: string;
  token?: string;
  filter?: JsonValue;
  start?: { at?: "earliest" | "latest"; after_cursor?: string; from_time?: string };
  on_lost_cursor?: "fail" | "earliest" | "latest";
  heartbeat_seconds?: number;
  store?: string;
  subscription?: { name: string; shards: number; member: string };
  stop_when_caught_up?: boolean;
  acknowledge?: boolean;
  constants?: boolean;
}

async function main(): Promise<void> {
  const input = createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  const request = JSON.parse((await lines.next()).value) as Request;
  if (request.constants) return tellConstants();
  const options = request.token === undefined ? {} : { token: request.token };
  const client = process.argv[2] === "node-sse" ? browser.connect(request.rest, options) : node.connect(request.address, options);
  const kit = new Kit(request.acknowledge ?? false);
  void kit.listen(lines);
  try {
    await (request.subscription ? client.consume(subscriptionOf(request, kit.left), (message) => kit.handle(message)) : loop(client, request, kit));
    if (!kit.left.aborted) write({ kind: "end" });
  } catch (error) {
    if (!kit.left.aborted) tellError(error);
  }
}

/** The application of a reader without a name. A handling that fails leaves it. */
async function loop(client: node.Client, request: Request, kit: Kit): Promise<void> {
  for await (const message of client.subscribe(subscriptionOf(request, kit.left))) {
    const failed = await kit.handle(message).then(
      () => false,
      () => true,
    );
    if (failed) return;
  }
}

function subscriptionOf(request: Request, signal: AbortSignal): node.Subscription {
  const s: node.Subscription = {
    signal,
    clientName: "conformance",
    onRetry: (cause) => write({ kind: "retry", cause: cause.message }),
    onFailure: (message) => write({ kind: "failure", shard: message.shard, cursor: message.cursor }),
  };
  if (request.filter !== undefined) s.filter = fromJson(FilterSchema, request.filter);
  const { at, after_cursor: afterCursor, from_time: fromTime } = request.start ?? {};
  if (at) s.start = at;
  else if (afterCursor) s.start = { afterCursor };
  else if (fromTime) s.start = { fromTime: fromJson(TimestampSchema, fromTime) };
  if (request.on_lost_cursor) s.onLostCursor = request.on_lost_cursor;
  if (request.heartbeat_seconds) s.heartbeatMs = request.heartbeat_seconds * 1000;
  if (request.store) s.store = node.fileStore(request.store);
  if (request.stop_when_caught_up) s.stopWhenCaughtUp = true;
  return Object.assign(s, request.subscription);
}

function tellError(error: unknown): void {
  const { reason, code } = error instanceof node.HeadgateError ? error : { reason: "", code: "" };
  if (!reason) console.error(error);
  write({ kind: "error", reason, code });
}

function tellConstants(): void {
  const [entities, actions] = [Object.values(node.Entity), Object.values(node.Action)];
  write({ kind: "constants", entities, actions, event_types: Object.values(node.EventType), reasons: Object.values(node.Reason) });
}

await main();
process.exit(0); // standard input may still be open
