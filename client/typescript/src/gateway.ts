import type { SubscribeRequest, SubscribeResponse } from "@headgate/proto/headgate/v1/event_service_pb";
import type { SaveCursorsRequest } from "@headgate/proto/headgate/v1/subscription_service_pb";

/**
 * The calls that a subscription makes, over one protocol or another. Whatever fails is a HeadgateError. A call whose signal aborts fails at once; what it had open
 * is closed.
 */
export interface Gateway {
  /** Streams the answers. It reads on only when the next one is asked for, so that a slow reader holds the gateway back and fills no memory. */
  subscribe(request: SubscribeRequest, signal: AbortSignal): AsyncIterable<SubscribeResponse>;
  /** Saves how far shards have been handled. */
  saveCursors(request: SaveCursorsRequest, signal: AbortSignal): Promise<void>;
}
