import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";

import * as browser from "../src/browser.js";
import { connect, createClient, errorOf, EventService, fileStore, HeadgateError, type Message, Reason, SubscriptionService } from "../src/index.js";
import { brief, clients, readAll, signalled, TestGateway } from "./gateway.js";

for (const kind of clients) {
  test(`${kind}: a killed gateway is resumed without gap or double`, async (t) => {
    const gateway = await TestGateway.start(t);
    await gateway.post(1, 2, 3);
    const stop = new AbortController();
    const causes: Error[] = [];
    const seen: string[] = [];
    const subscription = { start: "earliest" as const, signal: stop.signal, onRetry: (cause: Error) => causes.push(cause) };
    await assert.rejects(async () => {
      for await (const message of gateway.connect(kind).subscribe(subscription)) {
        if (message.kind !== "event") continue;
        seen.push(brief(message));
        if (seen.length === 3) {
          await gateway.kill();
          await gateway.launch();
          await gateway.post(4);
        }
        if (brief(message) === "#4") stop.abort(new Error("enough"));
      }
    }, /enough/);
    assert.deepEqual(seen, ["#1", "#2", "#3", "#4"]);
    assert.ok(causes.length > 0 && causes.every((cause) => cause instanceof Error));
  });

  test(`${kind}: refusals end the iteration, with their particulars`, async (t) => {
    const client = (await TestGateway.start(t)).connect(kind);
    const onRetry = (cause: Error) => assert.fail(cause);
    for (const [subscription, reason, code, metadata] of [
      [{}, Reason.StartRequired, "INVALID_ARGUMENT", { field: "start" }],
      [{ start: "latest", filter: { entities: ["relatoin"] } }, Reason.FilterInvalid, "INVALID_ARGUMENT", { field: "filter.entities" }],
      [{ start: { afterCursor: "none" } }, Reason.CursorMalformed, "INVALID_ARGUMENT", {}],
      [{ name: "billing" }, Reason.SubscriptionNotFound, "NOT_FOUND", {}],
    ] as const) {
      await assert.rejects(readAll(client.subscribe({ ...subscription, onRetry } as object)), (error) => {
        assert.ok(error instanceof HeadgateError);
        assert.equal(error.reason, reason);
        assert.equal(error.code, code);
        assert.ok(error.message);
        for (const [key, value] of Object.entries(metadata)) assert.equal(error.metadata[key], value);
        return true;
      });
    }
  });

  test(`${kind}: the message in whose handling the loop is left comes again`, async (t) => {
    const gateway = await TestGateway.start(t);
    await gateway.post(1, 2, 3);
    const subscription = { start: "earliest" as const, store: fileStore(join(gateway.dir, "cursor")), stopWhenCaughtUp: true };
    for await (const message of gateway.connect(kind).subscribe(subscription)) {
      if (brief(message) === "#2") break;
    }
    assert.deepEqual(await readAll(gateway.connect(kind).subscribe(subscription)), ["started", "#2", "#3"]);
    assert.deepEqual(await readAll(gateway.connect(kind).subscribe(subscription)), ["started"]);
  });

  test(`${kind}: two members share a subscription, each event once`, async (t) => {
    const gateway = await TestGateway.start(t);
    await gateway.post(1, 2, 3, 4, 5, 6, 7, 8);
    const handled = new Map<string, number[]>();
    const all = signalled();
    const stop = new AbortController();
    const members = ["a", "b"].map((member) =>
      gateway.connect(kind).consume({ name: "billing", shards: 4, member, start: "earliest", signal: stop.signal }, (message) => {
        assert.equal(message.kind, "event");
        assert.ok(message.shard !== undefined && message.shard < 4);
        handled.set(message.cursor, [...(handled.get(message.cursor) ?? []), message.shard]);
        if (handled.size === 16) all.resolve();
      }),
    );
    await gateway.post(1, 2, 3, 4, 5, 6, 7, 8);
    await all.promise;
    stop.abort();
    await Promise.all(members);
    assert.ok([...handled.values()].every((times) => times.length === 1));
    const rest = await readAll(gateway.connect(kind).subscribe({ name: "billing", shards: 4, stopWhenCaughtUp: true }));
    assert.deepEqual(rest, ["started", "assigned"]); // all is saved, and the shard was free at once
  });

  test(`${kind}: a handling that fails is told and tried again`, async (t) => {
    const gateway = await TestGateway.start(t);
    await gateway.post(1, 2);
    const tries: string[] = [];
    const told: string[] = [];
    const subscription = {
      name: "billing",
      start: "earliest" as const,
      stopWhenCaughtUp: true,
      onFailure: (message: Message, error: unknown) => told.push(`${brief(message)} ${(error as Error).message}`),
    };
    await gateway.connect(kind).consume(subscription, (message) => {
      tries.push(brief(message));
      if (tries.length < 3) throw new Error("not today");
    });
    assert.deepEqual(tries, ["#1", "#1", "#1", "#2"]);
    assert.deepEqual(told, ["#1 not today", "#1 not today"]);
  });

  test(`${kind}: a lost shard ends the handling`, async (t) => {
    const gateway = await TestGateway.start(t);
    await gateway.post(1, 2);
    const operator = connect(gateway.grpc);
    t.after(() => operator.close());
    const handled: string[] = [];
    const stop = new AbortController();
    await gateway.connect(kind).consume({ name: "billing", start: "earliest", signal: stop.signal }, async (message, signal) => {
      handled.push(brief(message));
      if (brief(message) === "#2") return stop.abort();
      const cursor = message.cursor;
      await createClient(SubscriptionService, operator.transport).skipEvent({ name: "billing", cursor, reason: "poison" });
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    });
    assert.deepEqual(handled, ["#1", "#2"]);
  });

  test(`${kind}: a token says who reads`, async (t) => {
    const hash = "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"; // of "t"
    const gateway = await TestGateway.start(t, `readers: {billing: {tokens: ["sha256:${hash}"], allow: [{sources: [dev]}]}}`);
    const subscription = { start: "earliest" as const, stopWhenCaughtUp: true };
    assert.deepEqual(await readAll(gateway.connect(kind, "t").subscribe(subscription)), ["started"]);
    for (const token of ["another", undefined]) {
      await assert.rejects(readAll(gateway.connect(kind, token).subscribe(subscription)), { code: "UNAUTHENTICATED", reason: "UNAUTHENTICATED" });
    }
    if (kind === "sse") {
      const client = browser.connect(`http://${gateway.api}`);
      await assert.rejects(client.logIn("another"), { code: "UNAUTHENTICATED" });
      await client.logIn("t");
      await client.logOut();
    }
  });
}

test("the transport serves the generated clients", async (t) => {
  const client = connect((await TestGateway.start(t)).grpc);
  t.after(() => client.close());
  const events = createClient(EventService, client.transport);
  assert.ok((await events.describeLog({})).epoch);
  await assert.rejects(
    events.getEvent({ cursor: "none" }).catch((error: unknown) => Promise.reject(errorOf(error))),
    { reason: Reason.CursorMalformed, code: "INVALID_ARGUMENT" },
  );
});
