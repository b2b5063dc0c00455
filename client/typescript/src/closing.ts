import { Closing_Reason } from "@headgate/proto/headgate/v1/event_service_pb";

/** A stream that ended without a word. */
export const ENDED = new Error("the gateway ended the stream");

/** The reason of a stream that is cancelled for its silence. */
export const SILENT = new Error("the gateway was silent for two heartbeats");

/** What a gateway says when it ends a stream that can be continued. */
const CLOSINGS: Record<number, Error> = {
  [Closing_Reason.UNSPECIFIED]: ENDED,
  [Closing_Reason.DRAINING]: new Error("the gateway is stopping"),
  [Closing_Reason.GRANT_CHANGED]: new Error("what this reader may read has changed"),
  [Closing_Reason.CREDENTIAL_EXPIRED]: new Error("the credential has expired"),
  [Closing_Reason.MAX_AGE]: new Error("the stream was as old as one may get"),
  [Closing_Reason.HANDED_OVER]: new Error("the shard goes to another member, or its position was moved"),
  [Closing_Reason.OPERATOR]: new Error("an operator ended the stream"),
};

/** Why the gateway ended a stream. */
export function closedBecause(reason: number): Error {
  return CLOSINGS[reason] ?? new Error(`${ENDED.message} for reason ${reason}`); // of a newer gateway
}
