import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";

import { connect, HeadgateError } from "../src/browser.js";
import { type Block, blocksOf } from "../src/sse.js";
import { brief, readAll } from "./gateway.js";
import { cursor } from "./scripted.js";

function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

test("blocks are the same however they are cut, and whatever ends their lines", async () => {
  const text = '\uFEFFevent: gap\nid: é\nretry: 15\ndata: {"a":\ndata:  1}\n\n: a comment\nid\ndata\n\nid: x\n\nid: never ended';
  const want: Block[] = [
    { event: "gap", id: "é", data: '{"a":\n 1}', retryMs: 15, comment: "" },
    { event: "", id: "", data: "", retryMs: undefined, comment: "a comment" },
    { event: "", id: "x", data: "", retryMs: undefined, comment: "" },
  ];
  for (const end of ["\n", "\r\n", "\r"]) {
    const bytes = new TextEncoder().encode(text.replaceAll("\n", end));
    for (const size of [1, 2, 3, 7, 1000]) {
      const got: Block[] = [];
      for await (const block of blocksOf(streamOf(bytes, size))) got.push(block);
      assert.deepEqual(got, want, `${JSON.stringify(end)} in pieces of ${size}`);
    }
  }
});

/** A gateway that answers in turn, the last one for ever. */
async function answering(t: TestContext, ...answers: ((response: ServerResponse) => void)[]): Promise<{ address: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    assert.equal(request.url, "/v1/events:subscribe");
    answers[Math.min(bodies.push(body), answers.length) - 1]?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

const stream = (text: string) => (response: ServerResponse) => void response.writeHead(200, { "Content-Type": "text/event-stream" }).end(text);
const answer = (status: number, type: string, text: string) => (response: ServerResponse) =>
  void response.writeHead(status, { "Content-Type": type }).end(text);
const caughtUp = stream('event: closing\ndata: {"reason":"REASON_CAUGHT_UP"}\n\n');

test("everything that a stream holds is delivered, and what is newer is passed over with its cursor", async (t) => {
  const [started, closing] = ['event: started\ndata: {"heartbeat_interval":"2s","newer":1}', 'event: closing\ndata: {"reason":"REASON_NEWER"}'];
  const known = `data: {"cursor":"${cursor(1)}","primary_key":1,"newer":{}}\nid: ${cursor(1)}\n\nevent: gap\nid: ${cursor(2)}\ndata: {"reason":"REASON_NEWER"}`;
  const newer = `event: newer\nid: ${cursor(3)}\ndata: {"a":1}`;
  const { address, bodies } = await answering(t, stream(`${started}\n\n${known}\n\n${newer}\n\n${closing}\n\n`), caughtUp);
  assert.deepEqual(await readAll(connect(address).subscribe({ start: "earliest" })), ["started", "#1", "gap"]);
  assert.deepEqual(JSON.parse(bodies[0] ?? ""), { start: { at: "EDGE_EARLIEST" } });
  assert.deepEqual(JSON.parse(bodies[1] ?? ""), { start: { after_cursor: cursor(3) } });
});

test("an answer that is no stream, and a failure in one, are errors with all that they say", async (t) => {
  const details = [
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "CURSOR_EXPIRED", domain: "headgate", metadata: { earliest_cursor: "x" } },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retry_delay: "1.5s" },
  ];
  const status = JSON.stringify({ code: 11, message: "gone", details });
  const gone = { code: "OUT_OF_RANGE", reason: "CURSOR_EXPIRED", message: "gone", retryAfterMs: 1500 };
  for (const [given, want] of [
    [answer(410, "application/json", status), gone],
    [stream(`event: failure\ndata: ${status}\n\n`), gone],
    [answer(200, "text/html", "<p>a page that logs in</p>"), { code: "UNKNOWN", reason: "" }],
    [answer(404, "text/plain", "no"), { code: "UNIMPLEMENTED", reason: "" }],
    [stream("data: {\n\n"), { code: "INTERNAL", reason: "" }],
  ] as const) {
    const { address } = await answering(t, given);
    await assert.rejects(readAll(connect(address).subscribe({ start: "earliest" })), (error) => {
      assert.ok(error instanceof HeadgateError);
      for (const [key, value] of Object.entries(want)) assert.equal(error[key as keyof HeadgateError], value);
      return true;
    });
  }
});

test("what will pass is tried again after the time that it asks for", async (t) => {
  const { address } = await answering(t, stream(': "the gateway is full"\nretry: 30\n\n'), answer(502, "text/html", "bad gateway"), caughtUp);
  const told: string[] = [];
  const onRetry = (cause: Error, waitMs: number) => {
    told.push(cause.message);
    if (told.length === 1) assert.ok(waitMs >= 30);
  };
  await readAll(connect(address).subscribe({ start: "earliest", onRetry }));
  assert.deepEqual(told, ['"the gateway is full"', "the answer was HTTP 502 with text/html"]);
});

test("the signal ends a stream that is silent", async (t) => {
  const { address } = await answering(t, (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write("event: started\ndata: {}\n\n");
  });
  const stop = new AbortController();
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const message of connect(address).subscribe({ start: "earliest", signal: stop.signal })) {
      seen.push(brief(message));
      stop.abort(new Error("enough"));
    }
  }, /enough/);
  assert.deepEqual(seen, ["started"]);
});
