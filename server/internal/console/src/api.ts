import type { StatusMessage } from "./types";

/** A refusal or a failure of the gateway's, in its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  /** When to try again, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, answer: StatusMessage) {
    super(answer.message || `the gateway answered with status ${status}`);
    this.status = status;
    this.reason = answer.details?.find((d) => d.reason)?.reason ?? "";
    const delay = answer.details?.map((d) => d.retry_delay ?? d.retryDelay).find((d) => d !== undefined);
    this.retryAfter = delay === undefined ? undefined : parseFloat(delay) * 1000;
  }

  /** Whether it will pass by itself. */
  get passes(): boolean {
    return this.status === 503 || this.status === 429 || this.retryAfter !== undefined;
  }
}

/** The gateway did not answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("the gateway does not answer");
  }
}

/** Only in memory: it is traded for the cookie, and once more when the gateway was restarted. */
let token: string | undefined;
let renewal: Promise<boolean> | undefined;
let whenSignedOut: () => void = () => {};

/** Has fn called when a session has ended that cannot be renewed. */
export function onSignedOut(fn: () => void): void {
  whenSignedOut = fn;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { cache: "no-store", credentials: "same-origin", redirect: "error", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable();
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  let answer: StatusMessage = {};
  try {
    answer = (await response.json()) as StatusMessage;
  } catch {
    // A proxy in front of the gateway answers in words of its own.
  }
  return new ApiError(response.status, answer);
}

/** Asks the gateway. A session that a restart of the gateway has ended is renewed. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response = await send(path, init);
  if (response.status === 401 && (await renew())) response = await send(path, init);
  if (response.ok) return response;
  const error = await errorOf(response);
  if (response.status === 401) whenSignedOut();
  throw error;
}

/** Asks for one answer. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, signal ? { signal } : {})).json()) as T;
}

/** Has something done. */
export async function post<T>(path: string, body: object): Promise<T> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await (await request(path, init)).json()) as T;
}

async function renew(): Promise<boolean> {
  const mine = token;
  if (mine === undefined) return false;
  renewal ??= send("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${mine}` } })
    .then((answer) => answer.ok)
    .finally(() => (renewal = undefined));
  return renewal;
}

/** Trades a reader's token for the session's cookie, which scripts cannot read. */
export async function signIn(given: string): Promise<boolean> {
  const response = await send("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${given}` } });
  if (!response.ok) throw await errorOf(response);
  const another = token !== given;
  token = given;
  remember(true);
  return another;
}

/** Has the browser forget the session. */
export async function signOut(): Promise<void> {
  token = undefined;
  remember(false);
  await send("/v1/session", { method: "DELETE" });
}

const mark = "headgate-signed-in";

function remember(signedIn: boolean): void {
  if (signedIn) localStorage.setItem(mark, "1");
  else localStorage.removeItem(mark);
}

/** Whether somebody signed in here with a token. Where no readers are configured nobody needs to. */
export function isSignedIn(): boolean {
  return localStorage.getItem(mark) !== null;
}

/** An error in words for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
