/** The reasons that a gateway gives. The comment of EventService, in event_service.proto, says what each means. A newer gateway may give others. */
export const Reason = {
  StartRequired: "START_REQUIRED",
  FilterInvalid: "FILTER_INVALID",
  CursorMalformed: "CURSOR_MALFORMED",
  CursorExpired: "CURSOR_EXPIRED",
  CursorForeign: "CURSOR_FOREIGN",
  EventNotFound: "EVENT_NOT_FOUND",
  SubscriptionNotFound: "SUBSCRIPTION_NOT_FOUND",
  SubscriptionExists: "SUBSCRIPTION_EXISTS",
  SubscriptionMismatch: "SUBSCRIPTION_MISMATCH",
  LeaseLost: "LEASE_LOST",
  CursorBehind: "CURSOR_BEHIND",
  Unauthenticated: "UNAUTHENTICATED",
  ContextForbidden: "CONTEXT_FORBIDDEN",
  RawBodyForbidden: "RAW_BODY_FORBIDDEN",
  OperatorOnly: "OPERATOR_ONLY",
  Draining: "DRAINING",
  Unavailable: "UNAVAILABLE",
  Limit: "LIMIT",
  DataLoss: "DATA_LOSS",
} as const;

/** The status codes of gRPC, in the order of their numbers. */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of a status code of gRPC. */
export type StatusCode = (typeof CODES)[number];

/** The name of the code with that number. */
export function statusCode(number: number): StatusCode {
  return CODES[number] ?? "UNKNOWN";
}

/** The domain of the reasons that are a gateway's own. */
export const DOMAIN = "headgate";

/** What a HeadgateError is made of. */
export interface Answer {
  code: StatusCode;
  message: string;
  reason?: string;
  metadata?: Readonly<Record<string, string>>;
  retryAfterMs?: number;
  cause?: unknown;
}

/** What a gateway, or the way to it, answered instead of what was asked for. */
export class HeadgateError extends Error {
  override readonly name = "HeadgateError";
  /** One of Reason, or one of a newer gateway. Empty when the answer was not a gateway's own. */
  readonly reason: string;
  /** The status code of gRPC, over Server-Sent Events too. */
  readonly code: StatusCode;
  /** The particulars, for example `earliest_cursor` of CURSOR_EXPIRED, or `field` of FILTER_INVALID. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How long the gateway asks to wait before the next attempt, in milliseconds; 0 when it does not say. */
  readonly retryAfterMs: number;

  constructor(answer: Answer) {
    super(answer.message, answer.cause === undefined ? undefined : { cause: answer.cause });
    this.code = answer.code;
    this.reason = answer.reason ?? "";
    this.metadata = answer.metadata ?? {};
    this.retryAfterMs = Math.max(0, answer.retryAfterMs ?? 0);
  }
}

/**
 * Tells whether asking again can help. That is never so for what a gateway refuses. An INTERNAL or UNKNOWN of the way, such as a proxy's reset, is taken for a
 * broken connection only when the stream had moved on: the same failure at the same place would return for ever.
 */
export function isTemporary(error: HeadgateError, movedOn: boolean): boolean {
  switch (error.reason) {
    case Reason.Draining:
    case Reason.Unavailable:
    case Reason.Limit:
      return true;
    case "":
      break;
    default:
      return error.code === "UNAVAILABLE";
  }
  switch (error.code) {
    case "UNAVAILABLE":
    case "ABORTED":
    case "CANCELLED":
    case "DEADLINE_EXCEEDED":
      return true;
    case "RESOURCE_EXHAUSTED":
      return error.retryAfterMs > 0;
    case "INTERNAL":
    case "UNKNOWN":
      return movedOn;
    default:
      return false;
  }
}
