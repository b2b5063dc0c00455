import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

import * as browser from "../src/browser.js";
import * as node from "../src/index.js";

/** An address that nobody is given by the system: while a gateway is away that comes back, somebody else would take it. */
async function ownAddress(): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, "close");
    return `127.0.0.1:${port}`;
  }
  throw new Error("there is no free port");
}

/** The clients under test. */
export const clients = ["grpc", "sse"] as const;

/** A real gateway in a process of its own, with its log in a folder of its own. */
export class TestGateway {
  api = "";
  grpc = "";
  #webhook = "";
  #process: ChildProcess | undefined;
  #events = 0;

  private constructor(
    private readonly t: TestContext,
    readonly dir: string,
  ) {}

  /** Starts one on ports of its own. readers are lines of YAML; by default everybody reads everything. */
  static async start(t: TestContext, readers = ""): Promise<TestGateway> {
    const dir = mkdtempSync(join(tmpdir(), "headgate-"));
    const gateway = new TestGateway(t, dir);
    [gateway.#webhook, gateway.api, gateway.grpc] = [await ownAddress(), await ownAddress(), await ownAddress()];
    t.after(async () => {
      await gateway.kill();
      rmSync(dir, { recursive: true });
    });
    const sources = "sources: {dev: {contexts: [Cust26759], time_zone: UTC, secrets: [{id: a, file: secret}]}}";
    writeFileSync(join(dir, "secret"), "a secret that signs nothing here");
    writeFileSync(join(dir, "config.yaml"), `data_dir: log\nretention: {disk_reserve: 1MiB}\n${sources}\n${readers}`);
    await gateway.launch(readers ? ["--config", join(dir, "config.yaml")] : ["--dev", "--data-dir", join(dir, "log")]);
    return gateway;
  }

  /** Starts the process, after a kill on the same ports. */
  async launch(what = ["--dev", "--data-dir", join(this.dir, "log")]): Promise<void> {
    const ports = [`--listen-webhook=${this.#webhook}`, `--listen-api=${this.api}`, `--listen-grpc=${this.grpc}`, "--listen-admin=127.0.0.1:0", "--log-format=json"];
    const child = spawn("dist/headgated", [...what, ...ports], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          log += `${line}\n`;
          if (log.includes(this.#webhook) && log.includes(this.grpc)) resolve();
        });
      }
      child.on("exit", () => reject(new Error(`the gateway ended; it said:\n${log}`)));
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Posts a change of each of the records. */
  async post(...records: number[]): Promise<void> {
    for (const record of records) {
      const body = {
        EventId: `00000000-0000-4000-8000-${String(++this.#events).padStart(12, "0")}`,
        Timestamp: "2026-01-02T03:04:05Z",
        Event: "contact.changed",
        PrimaryKey: record,
        Entity: "contact",
        ContextIdentifier: "Cust26759",
        Changes: ["updated"],
        WebhookName: "test",
      };
      const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(`http://${this.#webhook}/webhooks/superoffice/dev`, init);
      if (!answer.ok) throw new Error(`a post was answered with ${answer.status}: ${await answer.text()}`);
    }
  }

  /** A client of the kind. */
  connect(kind: (typeof clients)[number], token?: string): node.Client {
    const options = token === undefined ? {} : { token };
    if (kind === "sse") return browser.connect(`http://${this.api}`, options);
    const client = node.connect(this.grpc, options);
    this.t.after(() => client.close());
    return client;
  }
}

/** The record of an event, the kind of any other message. */
export function brief(message: node.Message): string {
  return message.kind === "event" ? `#${message.event.primaryKey}` : message.kind;
}

/** What the subscription delivers until it ends, in brief. */
export async function readAll(messages: AsyncIterable<node.Message>): Promise<string[]> {
  const all: string[] = [];
  for await (const message of messages) all.push(brief(message));
  return all;
}

/** A promise and what fulfills it. */
export function signalled<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}
