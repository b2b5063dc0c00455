import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import test from "node:test";

import * as browser from "../src/browser.js";
import { Action, connect, Entity, EventType } from "../src/index.js";
import { urlOf } from "../src/grpc.js";
import { readAll, signalled } from "./gateway.js";

test("an address is a host and a port", () => {
  for (const address of ["", "gateway", "::1", "gateway:port", "user@gateway:1", "gateway:1/path", "[gateway]:1", "http://gateway:1"]) {
    assert.throws(() => connect(address), /want host:port/, address);
  }
  for (const address of ["127.0.0.1:1", "localhost:1", "[::1]:1", "gateway.example:9090"]) connect(address).close();
});

test("only this machine is spoken to in the clear", () => {
  for (const address of ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"]) {
    assert.equal(urlOf(address, false), `http://${address}`);
    assert.equal(urlOf(address, true), `https://${address}`);
  }
  for (const address of ["10.0.0.5:1", "localhost.example:1", "127.0.0.1.example:1", "[2001:db8::1]:1"]) {
    assert.equal(urlOf(address, false), `https://${address}`);
  }
});

test("options.tls encrypts to this machine too", async (t) => {
  for (const [options, first] of [
    [{}, "P".charCodeAt(0)], // of HTTP/2's greeting
    [{ tls: {}, token: "s3cret" }, 0x16], // of TLS's
  ] as const) {
    const byte = signalled<number | undefined>();
    const server = createServer((socket) => {
      socket.on("error", () => {}).once("data", (bytes) => {
        byte.resolve(bytes[0]);
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const client = connect(`127.0.0.1:${(server.address() as AddressInfo).port}`, options);
    const stop = new AbortController();
    await assert.rejects(readAll(client.subscribe({ start: "latest", signal: stop.signal, onRetry: () => stop.abort() })), { name: "AbortError" });
    assert.equal(await byte.promise, first);
    client.close();
  }
});

test("names fit together", () => {
  assert.equal(`${Entity.Relation}.${Action.Created}`, EventType.RelationCreated);
});

test("a token is not sent in the clear to another machine over REST either", async () => {
  for (const address of ["http://gateway.example", "http://10.0.0.5:8081", "http://127.0.0.1.example"]) {
    assert.throws(() => browser.connect(address, { token: "s3cret" }), /use https/);
    await assert.rejects(browser.connect(address).logIn("s3cret"), /use https/);
  }
  for (const address of ["https://gateway.example", "http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081"]) {
    browser.connect(address, { token: "s3cret" });
  }
  assert.throws(() => browser.connect("gateway"), TypeError);
});
