import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

import { DOMAIN, HeadgateError, statusCode } from "./errors.js";

/** Reads the error of a call that was made over GrpcClient.transport. */
export function errorOf(error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const answer = ConnectError.from(error);
  const details = detailsOf(answer);
  const code = isOfTheWay(answer) ? "UNAVAILABLE" : statusCode(answer.code);
  return new HeadgateError({ code, message: answer.rawMessage, cause: answer.cause, ...details });
}

/**
 * Tells whether the connection failed, and not the call. Connect has INTERNAL or ABORTED for both; a cause with a code of its own is Node's. A stream that ends
 * without a status is a connection that was cut off.
 */
function isOfTheWay(answer: ConnectError): boolean {
  if (answer.code !== Code.Internal && answer.code !== Code.Aborted) return false;
  const cause = answer.cause;
  const isNodes = cause instanceof Error && "code" in cause && typeof cause.code === "string";
  return isNodes || answer.rawMessage === "protocol error: missing status";
}

function detailsOf(answer: ConnectError): { reason?: string; metadata?: Record<string, string>; retryAfterMs?: number } {
  const found: ReturnType<typeof detailsOf> = {};
  for (const detail of answer.details) {
    if (!("type" in detail)) continue;
    if (detail.type === "google.rpc.ErrorInfo") {
      const info = errorInfo(detail.value);
      if (info.domain === DOMAIN) Object.assign(found, { reason: info.reason, metadata: info.metadata });
    } else if (detail.type === "google.rpc.RetryInfo") {
      found.retryAfterMs = retryDelay(detail.value);
    }
  }
  return found;
}

/** Calls take with the number of each field, after its tag; take returns false for one that it does not know. */
function readFields(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!take(field, reader)) reader.skip(wireType, field);
  }
}

/** Decodes a google.rpc.ErrorInfo: reason = 1, domain = 2, map metadata = 3. */
function errorInfo(bytes: Uint8Array): { reason: string; domain: string; metadata: Record<string, string> } {
  const info = { reason: "", domain: "", metadata: {} as Record<string, string> };
  readFields(bytes, (field, reader) => {
    if (field === 1) info.reason = reader.string();
    else if (field === 2) info.domain = reader.string();
    else if (field === 3) {
      let [key, value] = ["", ""];
      readFields(reader.bytes(), (part, entry) => {
        if (part === 1) key = entry.string();
        else if (part === 2) value = entry.string();
        else return false;
        return true;
      });
      info.metadata[key] = value;
    } else return false;
    return true;
  });
  return info;
}

/** Decodes a google.rpc.RetryInfo: Duration retry_delay = 1, of seconds = 1 and nanos = 2. Milliseconds. */
function retryDelay(bytes: Uint8Array): number {
  let ms = 0;
  readFields(bytes, (field, reader) => {
    if (field !== 1) return false;
    readFields(reader.bytes(), (part, duration) => {
      if (part === 1) ms += Number(duration.int64()) * 1000;
      else if (part === 2) ms += duration.int32() / 1e6;
      else return false;
      return true;
    });
    return true;
  });
  return ms;
}
