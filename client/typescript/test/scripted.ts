import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Closing_Reason, type SubscribeRequest, type SubscribeResponse, SubscribeResponseSchema } from "@headgate/proto/headgate/v1/event_service_pb";
import type { SaveCursorsRequest } from "@headgate/proto/headgate/v1/subscription_service_pb";
import type { TestContext } from "node:test";

import { Client } from "../src/client.js";
import { type Answer, HeadgateError } from "../src/errors.js";
import type { Gateway } from "../src/gateway.js";

/** The cursor of the nth place. */
export const cursor = (n: number) => String(n).padStart(22, "c");

const response = (n: number | undefined, init: MessageInitShape<typeof SubscribeResponseSchema>) =>
  create(SubscribeResponseSchema, { cursor: n === undefined ? "" : cursor(n), ...init });

export const started = (n: number | undefined, heartbeatMs = 15_000) =>
  response(n, { signal: { case: "started", value: { heartbeatInterval: durationFromMs(heartbeatMs) } } });
export const event = (n: number) => response(n, { events: [{ cursor: cursor(n), primaryKey: n }] });
export const gap = (n: number) => response(n, { signal: { case: "gap", value: {} } });
export const unknown = (n: number) => response(n, {});
export const checkpoint = (n: number) => response(n, { signal: { case: "checkpoint", value: {} } });
export const closing = (n: number, reason: Closing_Reason, retryMs = 0) =>
  response(n, { signal: { case: "closing", value: { reason, retryAfter: durationFromMs(retryMs) } } });
export const caughtUp = (n: number) => closing(n, Closing_Reason.CAUGHT_UP);
export const assigned = (n: number, lease: string) =>
  response(n, { signal: { case: "assigned", value: { lease, shard: { index: 0, count: 1 } } } });

/** What a stream sends before it ends: by itself, with an error, or never. */
export interface Script {
  send: SubscribeResponse[];
  end?: Answer | "never";
}

/** A gateway whose streams follow the scripts in turn, the last one for ever. answer throws what becomes of a save. */
export class Scripted implements Gateway {
  readonly requests: SubscribeRequest[] = [];
  readonly saves: string[] = []; // place@lease, and whether the shard was released
  readonly client = new Client(this, "test");

  constructor(
    private readonly scripts: Script[],
    private readonly answer: (save: string) => void = () => {},
  ) {}

  /** Where the nth stream was asked to begin. */
  startOf(n: number): unknown {
    return this.requests[n]?.start?.position.value;
  }

  async *subscribe(request: SubscribeRequest, signal: AbortSignal): AsyncGenerator<SubscribeResponse> {
    const script = this.scripts[Math.min(this.requests.push(request), this.scripts.length) - 1];
    yield* script?.send ?? [];
    if (script?.end === "never") {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new HeadgateError({ code: "CANCELLED", message: "cancelled" });
    }
    if (script?.end) throw new HeadgateError(script.end);
  }

  async saveCursors(request: SaveCursorsRequest): Promise<void> {
    for (const { cursor: at, lease, release } of request.saves) {
      const save = `${at.replace(/^c+/, "")}@${lease}${release ? " release" : ""}`;
      this.saves.push(save);
      this.answer(save);
    }
  }
}

/** Has setTimeout take a clock that moves only by advance. */
export function clock(t: TestContext): { advance: (ms: number) => Promise<void> } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return {
    advance: async (ms) => {
      for (let passed = 0; passed < ms; passed += 50) {
        await new Promise(setImmediate);
        t.mock.timers.tick(50);
      }
      await new Promise(setImmediate);
    },
  };
}
