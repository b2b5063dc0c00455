import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { EventSchema } from "@headgate/proto/headgate/v1/event_pb";
import {
  AssignedSchema,
  CheckpointSchema,
  ClosingSchema,
  ErasedSchema,
  GapSchema,
  StandbySchema,
  StartedSchema,
  SubscribeRequestSchema,
  type SubscribeResponse,
  SubscribeResponseSchema,
} from "@headgate/proto/headgate/v1/event_service_pb";
import { SaveCursorsRequestSchema } from "@headgate/proto/headgate/v1/subscription_service_pb";

import { HeadgateError } from "./errors.js";
import type { Gateway } from "./gateway.js";
import { errorOfFetch, errorOfResponse, errorOfStatus } from "./rest-error.js";
import { type Block, blocksOf } from "./sse.js";

const EVENT_STREAM = "text/event-stream";

/** A request of the gateway's API. */
export interface AskInit {
  method: string;
  body?: string;
  accept?: string; // JSON by default
  signal: AbortSignal;
}

/** Makes one request of the path. */
type Ask = (path: string, init: AskInit) => Promise<Response>;

/** The gateway's calls over REST, with Server-Sent Events for streams. */
export function gatewayOver(ask: Ask): Gateway {
  return {
    async *subscribe(request, signal) {
      const body = toJsonString(SubscribeRequestSchema, request, { useProtoFieldName: true });
      try {
        const response = await ask("/v1/events:subscribe", { method: "POST", body, accept: EVENT_STREAM, signal });
        yield* responsesOf(response);
      } catch (error) {
        throw errorOfFetch(error, signal);
      }
    },
    async saveCursors(request, signal) {
      const { name, ...rest } = request;
      const body = toJsonString(SaveCursorsRequestSchema, { ...rest, name: "" }, { useProtoFieldName: true });
      try {
        const response = await ask(`/v1/subscriptions/${encodeURIComponent(name)}:save`, { method: "POST", body, signal });
        if (!response.ok) throw await errorOfResponse(response);
        await response.text(); // so that the connection can be used again
      } catch (error) {
        throw errorOfFetch(error, signal);
      }
    },
  };
}

async function* responsesOf(response: Response): AsyncGenerator<SubscribeResponse, void, void> {
  const type = response.headers.get("Content-Type") ?? "";
  if (!response.ok || !response.body || !type.startsWith(EVENT_STREAM)) throw await errorOfResponse(response);
  for await (const block of blocksOf(response.body)) {
    if (block.event === "failure") throw errorOfStatus(block.data);
    if (block.event || block.id || block.data) yield responseOf(block);
    else if (block.retryMs !== undefined) throw asksToReturn(block, block.retryMs);
  }
}

/** A browser's EventSource gives up on any answer but 200, so a gateway that is full or stops answers with this instead of an error. */
function asksToReturn(block: Block, retryAfterMs: number): HeadgateError {
  return new HeadgateError({ code: "UNAVAILABLE", message: block.comment || "the gateway asks to come again later", retryAfterMs });
}

/** What a block says. An id alone is a checkpoint, or a signal of a newer gateway. */
function responseOf(block: Block): SubscribeResponse {
  const response = create(SubscribeResponseSchema, { cursor: block.id });
  try {
    if (block.event) response.signal = signalOf(block.event, block.data);
    else if (block.data) response.events = [fromJsonString(EventSchema, block.data, { ignoreUnknownFields: true })];
    else response.signal = { case: "checkpoint", value: create(CheckpointSchema) };
    return response;
  } catch (cause) {
    const what = block.event || "event";
    throw new HeadgateError({ code: "INTERNAL", message: `the gateway sent a message of the kind ${what} that cannot be read`, cause });
  }
}

function signalOf(name: string, data: string): SubscribeResponse["signal"] {
  const options = { ignoreUnknownFields: true };
  switch (name) {
    case "started":
      return { case: name, value: fromJsonString(StartedSchema, data, options) };
    case "gap":
      return { case: name, value: fromJsonString(GapSchema, data, options) };
    case "erased":
      return { case: name, value: fromJsonString(ErasedSchema, data, options) };
    case "closing":
      return { case: name, value: fromJsonString(ClosingSchema, data, options) };
    case "assigned":
      return { case: name, value: fromJsonString(AssignedSchema, data, options) };
    case "standby":
      return { case: name, value: fromJsonString(StandbySchema, data, options) };
    default:
      return { case: undefined };
  }
}
