import type { Event } from "@headgate/proto/headgate/v1/event_pb";
import type { Assigned, Checkpoint, Erased, Gap, Standby, Started, SubscribeResponse } from "@headgate/proto/headgate/v1/event_service_pb";

interface Place {
  /**
   * Where to resume once this message has been handled. Store it then, for signals as for events; with a named subscription the gateway does. It is empty
   * before a named subscription's stream is assigned a shard.
   */
  readonly cursor: string;
  /** Which shard of a named subscription the message is of; undefined without a name, and before one is assigned. */
  readonly shard?: number;
}

/** A change in the CRM. */
export interface EventMessage extends Place {
  readonly kind: "event";
  readonly event: Event;
}

/** Something may be missing at this place: reconcile the gap's window with the CRM. */
export interface GapMessage extends Place {
  readonly kind: "gap";
  readonly gap: Gap;
}

/** An event stood here and was removed on request. */
export interface ErasedMessage extends Place {
  readonly kind: "erased";
  readonly erased: Erased;
}

/** Everything up to here that matches has been delivered. Over Server-Sent Events its fields are not told: caughtUp is then false and through unset. */
export interface CheckpointMessage extends Place {
  readonly kind: "checkpoint";
  readonly checkpoint: Checkpoint;
}

/** The first message of each connection: the stream's terms. */
export interface StartedMessage extends Place {
  readonly kind: "started";
  readonly started: Started;
}

/** The stream is served this shard of a named subscription from here on. */
export interface AssignedMessage extends Place {
  readonly kind: "assigned";
  readonly assigned: Assigned;
}

/** All shards of a named subscription are served to others. */
export interface StandbyMessage extends Place {
  readonly kind: "standby";
  readonly standby: Standby;
}

/** What a handler of consume gets. */
export type HandledMessage = EventMessage | GapMessage | ErasedMessage;

/** One event, or one signal. kind says which. */
export type Message = HandledMessage | CheckpointMessage | StartedMessage | AssignedMessage | StandbyMessage;

/** The messages that a response holds, in order. Kinds that are not known yield none, as the contract asks; the response's cursor counts. */
export function messagesOf(response: SubscribeResponse, shard: number | undefined): Message[] {
  const { cursor, signal } = response;
  const place = shard === undefined ? {} : { shard };
  switch (signal.case) {
    case "started":
      return [{ kind: "started", started: signal.value, cursor, ...place }];
    case "checkpoint":
      return [{ kind: "checkpoint", checkpoint: signal.value, cursor, ...place }];
    case "gap":
      return [{ kind: "gap", gap: signal.value, cursor, ...place }];
    case "erased":
      return [{ kind: "erased", erased: signal.value, cursor, ...place }];
    case "assigned":
      return [{ kind: "assigned", assigned: signal.value, cursor, ...place }];
    case "standby":
      return [{ kind: "standby", standby: signal.value, cursor: "" }];
    default:
      return response.events.map((event) => ({ kind: "event", event, cursor: event.cursor, ...place }));
  }
}
