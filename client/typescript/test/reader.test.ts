import assert from "node:assert/strict";
import test from "node:test";

import { Closing_Reason } from "@headgate/proto/headgate/v1/event_service_pb";

import { HeadgateError, type Store } from "../src/index.js";
import { brief, readAll } from "./gateway.js";
import { assigned, caughtUp, checkpoint, clock, closing, cursor, event, gap, type Script, Scripted, started, unknown } from "./scripted.js";

const earliest = { start: "earliest" } as const;

function memory(at?: string): Store & { saved: string[] } {
  const saved: string[] = [];
  return { saved, load: async () => at, save: async (c) => void saved.push(c) };
}

test("cursors are saved after handling, those of unknown messages too", async () => {
  const gateway = new Scripted([{ send: [started(0), event(1), unknown(2), gap(3), caughtUp(4)] }]);
  const store = memory();
  for await (const message of gateway.client.subscribe({ ...earliest, store })) assert.ok(!store.saved.includes(message.cursor));
  assert.deepEqual(store.saved, [0, 1, 2, 3, 4].map(cursor));
});

test("a stream is dead after two silent heartbeats, and slow handling is no silence", async (t) => {
  const { advance } = clock(t);
  for (const [send, limit] of [
    [[], 30_000],
    [[started(0, 2_000), event(1)], 4_000],
  ] as const) {
    const gateway = new Scripted([{ send: [...send], end: "never" }, { send: [caughtUp(1)] }]);
    const causes: string[] = [];
    const reading = (async () => {
      for await (const message of gateway.client.subscribe({ ...earliest, onRetry: (cause) => causes.push(cause.message) })) {
        if (message.kind === "event") await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
    })();
    if (send.length > 0) await advance(60_000);
    await advance(limit - 100);
    assert.deepEqual(causes, []);
    await advance(200);
    assert.deepEqual(causes, ["the gateway was silent for two heartbeats"]);
    await advance(500);
    await reading;
  }
});

test("a stream that began at the latest event goes on where it began, and a lost cursor stays until its gap has come", async () => {
  const fresh = new Scripted([{ send: [started(3)] }, { send: [caughtUp(3)] }]);
  await readAll(fresh.client.subscribe({ start: "latest" }));
  assert.equal(fresh.startOf(1), cursor(3));

  const lost = new Scripted([{ send: [started(7)] }, { send: [started(7), gap(7), caughtUp(7)] }]);
  assert.deepEqual(await readAll(lost.client.subscribe({ store: memory(cursor(2)) })), ["started", "started", "gap"]);
  assert.equal(lost.startOf(1), cursor(2));
});

test("what is tried again and what is not", async (t) => {
  const { advance } = clock(t);
  const internal = { code: "INTERNAL", message: "reset" } as const;
  for (const [name, script, again] of [
    ["end without a word", { send: [started(0)] }, true],
    ["draining", { send: [closing(0, Closing_Reason.DRAINING)] }, true],
    ["a closing of a newer kind", { send: [closing(0, 99 as Closing_Reason)] }, true],
    ["away", { send: [], end: { code: "UNAVAILABLE", message: "away" } }, true],
    ["full", { send: [], end: { code: "RESOURCE_EXHAUSTED", reason: "LIMIT", message: "full" } }, true],
    ["reset in the middle", { send: [started(0), event(1)], end: internal }, true],
    ["reset at once", { send: [started(0)], end: internal }, false],
    ["refused", { send: [], end: { code: "OUT_OF_RANGE", reason: "CURSOR_EXPIRED", message: "gone" } }, false],
    ["a newer reason", { send: [], end: { code: "RESOURCE_EXHAUSTED", reason: "NEWER", message: "no" } }, false],
  ] satisfies [string, Script, boolean][]) {
    const gateway = new Scripted([script, { send: [caughtUp(1)] }]);
    let failure: unknown;
    readAll(gateway.client.subscribe(earliest)).catch((error: unknown) => (failure = error));
    await advance(300);
    assert.equal(gateway.requests.length, again ? 2 : 1, name);
    assert.equal(failure === undefined, again, name);
  }
});

test("pauses grow, are short again after progress, and are what the gateway asks for", async (t) => {
  const { advance } = clock(t);
  t.mock.method(Math, "random", () => 0.999);
  const away: Script = { send: [started(0)] };
  const gateway = new Scripted([away, away, away, { send: [event(1)] }, { send: [closing(1, Closing_Reason.DRAINING, 60_000)] }, { send: [caughtUp(1)] }]);
  const waits: number[] = [];
  const reading = readAll(gateway.client.subscribe({ ...earliest, onRetry: (_, waitMs) => waits.push(Math.round(waitMs)) }));
  await advance(65_000);
  await reading;
  assert.deepEqual(waits, [200, 400, 799, 200, 60_400]);
});

test("what was handled is saved under the lease before the next stream, and nothing is asked of a quiet one", async (t) => {
  const { advance } = clock(t);
  const gateway = new Scripted([
    { send: [started(undefined), assigned(0, "a"), event(1), checkpoint(2)], end: "never" },
    { send: [started(undefined), assigned(2, "b"), event(3), caughtUp(3)] },
  ]);
  const reading = readAll(gateway.client.subscribe({ name: "billing", ...earliest, heartbeatMs: 1000 }));
  await advance(29_000);
  assert.equal(gateway.saves.at(-1), "2@a");
  assert.ok(gateway.saves.length <= 2);
  await advance(2_000);
  assert.deepEqual(await reading, ["started", "assigned", "#1", "checkpoint", "started", "assigned", "#3"]);
  assert.deepEqual(gateway.saves.filter((save) => save.endsWith("release")), ["2@a release", "3@b release"]);
});

test("whoever takes long presents the lease, and learns that it is lost", async (t) => {
  const { advance } = clock(t);
  let lost = false;
  const gateway = new Scripted(
    [{ send: [assigned(0, "a"), event(1), event(2)], end: "never" }, { send: [assigned(1, "b"), event(2), caughtUp(2)] }],
    (save) => {
      if (lost && save.includes("@a")) throw new HeadgateError({ code: "ABORTED", reason: "LEASE_LOST", message: "lost" });
    },
  );
  const handled: string[] = [];
  const onFailure = () => assert.fail("a handling of a lost shard did not fail");
  const consuming = gateway.client.consume({ name: "billing", ...earliest, onFailure }, async (message, signal) => {
    handled.push(brief(message));
    if (handled.length === 1) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  await advance(10_500);
  assert.deepEqual(gateway.saves, Array.from({ length: 5 }, () => "0@a"));
  lost = true;
  await advance(3_000);
  await consuming;
  assert.deepEqual(handled, ["#1", "#2"]);
  assert.equal(gateway.saves.at(-1), "2@b release");
});

test("a handling may finish for ten seconds when consume is to end", async (t) => {
  const { advance } = clock(t);
  for (const [needs, saved] of [
    [5_000, "1@a release"],
    [3_600_000, "@a release"],
  ] as const) {
    const gateway = new Scripted([{ send: [assigned(0, "a"), event(1), event(2)], end: "never" }]);
    const stop = new AbortController();
    const consuming = gateway.client.consume({ name: "billing", ...earliest, signal: stop.signal }, async (_, signal) => {
      stop.abort();
      await new Promise((resolve, reject) => {
        setTimeout(resolve, needs);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    });
    await advance(10_500);
    await consuming;
    assert.equal(gateway.saves.at(-1), saved);
  }
});

test("a refusal ends all of consume", async () => {
  const refused: Script = { send: [], end: { code: "FAILED_PRECONDITION", reason: "SUBSCRIPTION_MISMATCH", message: "it has 4" } };
  const gateway = new Scripted([{ send: [assigned(0, "a"), event(1)], end: "never" }, refused]);
  await assert.rejects(gateway.client.consume({ name: "billing", shards: 2, ...earliest }, () => {}), { reason: "SUBSCRIPTION_MISMATCH" });
});

test("what cannot be meant is refused", async () => {
  const { client, requests } = new Scripted([]);
  for (const subscription of [{ name: "a", store: memory() }, { ...earliest, shards: 2 }, { ...earliest, member: "a" }, { name: "a", shards: 0 }]) {
    await assert.rejects(readAll(client.subscribe(subscription)), TypeError);
  }
  await assert.rejects(client.consume(earliest, () => {}), TypeError);
  assert.equal(requests.length, 0);
});
