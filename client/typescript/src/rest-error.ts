import { DOMAIN, HeadgateError, type StatusCode, statusCode } from "./errors.js";

/** A google.rpc.Status as JSON. */
interface Status {
  code?: number;
  message?: string;
  details?: Detail[];
}

interface Detail {
  "@type"?: string;
  reason?: string;
  domain?: string;
  metadata?: Record<string, string>;
  retry_delay?: string;
  retryDelay?: string;
}

/** Reads a google.rpc.Status. */
export function errorOfStatus(text: string): HeadgateError {
  const status = parse(text);
  if (!status) return new HeadgateError({ code: "INTERNAL", message: "the gateway told an error that cannot be read" });
  return ofStatus(status, 0);
}

/** Reads an answer that is not the one asked for: the gateway's, with a google.rpc.Status, or that of a proxy on the way. */
export async function errorOfResponse(response: Response): Promise<HeadgateError> {
  const status = isJSON(response) ? parse(await response.text().catch(() => "")) : undefined;
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : 0;
  if (status) return ofStatus(status, retryAfterMs);
  const type = response.headers.get("Content-Type") ?? "no Content-Type";
  return new HeadgateError({ code: codeOfHTTP(response.status), message: `the answer was HTTP ${response.status} with ${type}`, retryAfterMs });
}

/** Reads why a request was not answered, or its answer broke off. */
export function errorOfFetch(error: unknown, signal: AbortSignal): HeadgateError {
  if (error instanceof HeadgateError) return error;
  if (signal.aborted) return new HeadgateError({ code: "CANCELLED", message: "the call was cancelled", cause: error });
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HeadgateError({ code: "UNAVAILABLE", message: `the connection failed: ${why}`, cause: error });
}

function isJSON(response: Response): boolean {
  return /^application\/json\b/i.test(response.headers.get("Content-Type") ?? "");
}

function parse(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "code" in value && typeof value.code === "number" ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
}

function ofStatus(status: Status, retryAfterMs: number): HeadgateError {
  let reason = "";
  let metadata: Record<string, string> = {};
  for (const detail of Array.isArray(status.details) ? status.details : []) {
    if (detail["@type"]?.endsWith("/google.rpc.ErrorInfo") && detail.domain === DOMAIN) {
      reason = detail.reason ?? "";
      metadata = detail.metadata ?? {};
    } else if (detail["@type"]?.endsWith("/google.rpc.RetryInfo")) {
      retryAfterMs = Number.parseFloat(detail.retry_delay ?? detail.retryDelay ?? "0") * 1000 || 0; // "1.5s"
    }
  }
  return new HeadgateError({ code: statusCode(status.code ?? 2), message: status.message ?? "", reason, metadata, retryAfterMs });
}

/** The code that gRPC gives to the HTTP status of an answer that is not gRPC's. */
function codeOfHTTP(status: number): StatusCode {
  switch (status) {
    case 400:
      return "INTERNAL";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "UNIMPLEMENTED";
    case 429:
    case 502:
    case 503:
    case 504:
      return "UNAVAILABLE";
    default:
      return "UNKNOWN";
  }
}
