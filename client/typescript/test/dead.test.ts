import assert from "node:assert/strict";
import test from "node:test";

import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { Closing_Reason, EventService, SubscribeRequestSchema } from "@headgate/proto/headgate/v1/event_service_pb";
import { SaveCursorsRequestSchema, SubscriptionService } from "@headgate/proto/headgate/v1/subscription_service_pb";

import { SILENT } from "../src/closing.js";
import type { HeadgateError } from "../src/errors.js";
import { gatewayOver } from "../src/grpc.js";
import { UNANSWERED } from "../src/wait.js";
import { readAll } from "./gateway.js";
import { caughtUp, closing, clock, Scripted, started } from "./scripted.js";

/** A gateway that answers nothing, and how often its connection was given up. */
function mute() {
  const aborted = (signal: AbortSignal) => new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  const transport = createRouterTransport(({ service }) => {
    service(EventService, {
      async *subscribe(_, context) {
        yield await aborted(context.signal);
      },
    });
    service(SubscriptionService, { saveCursors: (_, context) => aborted(context.signal) });
  });
  const session = { state: () => "open" as const, abort: () => void session.aborts++, aborts: 0 };
  return { gateway: gatewayOver(transport, session), session };
}

async function failed(call: AsyncIterable<unknown> | Promise<unknown>): Promise<void> {
  const settled = Symbol.asyncIterator in call ? call[Symbol.asyncIterator]().next() : call;
  await assert.rejects(settled, (error: HeadgateError) => error.name === "HeadgateError");
}

test("a connection over which nothing comes is given up, once, and one that was left is not", async () => {
  for (const [reason, aborts] of [
    [SILENT, 1],
    [UNANSWERED, 1],
    [new Error("the application stops"), 0],
  ] as const) {
    const { gateway, session } = mute();
    const stop = new AbortController();
    const calls = [
      failed(gateway.subscribe(create(SubscribeRequestSchema), stop.signal)),
      failed(gateway.subscribe(create(SubscribeRequestSchema), stop.signal)),
      failed(gateway.saveCursors(create(SaveCursorsRequestSchema), stop.signal)),
    ];
    await new Promise(setImmediate);
    stop.abort(reason);
    await Promise.all(calls);
    assert.equal(session.aborts, aborts, reason.message);
  }
});

test("without onRetry a stream that is lost is warned of, unless the gateway ended it in order", async (t) => {
  const { advance } = clock(t);
  const warn = t.mock.method(console, "warn", () => {});
  const gateway = new Scripted([
    { send: [started(0), closing(0, Closing_Reason.DRAINING)] },
    { send: [], end: { code: "UNAVAILABLE", message: "connection refused" } },
    { send: [caughtUp(0)] },
  ]);
  const reading = readAll(gateway.client.subscribe({ start: "earliest" }));
  await advance(1_000);
  await reading;
  assert.equal(warn.mock.callCount(), 1);
  assert.match(JSON.stringify(warn.mock.calls[0]?.arguments), /connection refused/);
});
