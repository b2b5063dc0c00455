/**
 * Reads the events of a Headgate gateway over Server-Sent Events, from a browser, and from whatever else has fetch. The same subscriptions and the same messages as
 * over gRPC; see the comment of the other entry point. It uses nothing of Node's.
 */
import { Client } from "./client.js";
import { type AskInit, gatewayOver } from "./rest.js";
import { errorOfFetch, errorOfResponse } from "./rest-error.js";
import { timeout } from "./wait.js";

export * from "./core.js";

/** How long a login may take, in milliseconds. */
const LOGIN_TIMEOUT = 10_000;

/** How to connect. */
export interface ConnectOptions {
  /**
   * A reader's token, sent as a header with every request, never in a URL. A page keeps it better in no variable of its own: see SseClient.logIn.
   */
  token?: string;
}

/** A client over REST and Server-Sent Events. */
export class SseClient extends Client {
  readonly #base: URL;

  /** Use connect. */
  constructor(base: URL, token: string | undefined) {
    super(gatewayOver((path, init) => ask(base, path, { token, ...init })), "sse");
    this.#base = base;
  }

  /**
   * Trades a reader's token for a cookie that scripts cannot read, which the browser then sends by itself: for 12 hours, or until the gateway restarts. After that
   * subscriptions end with UNAUTHENTICATED. Throws a HeadgateError, of the code UNAUTHENTICATED for a token of no reader.
   */
  async logIn(token: string): Promise<void> {
    mustBeSafe(this.#base);
    await this.#session("POST", token);
  }

  /** Has the browser forget the cookie. A stream that is open goes on. Throws a HeadgateError. */
  async logOut(): Promise<void> {
    await this.#session("DELETE", undefined);
  }

  async #session(method: string, token: string | undefined): Promise<void> {
    const limit = timeout(LOGIN_TIMEOUT);
    try {
      const response = await ask(this.#base, "/v1/session", { method, token, signal: limit.signal });
      if (!response.ok) throw await errorOfResponse(response);
    } catch (error) {
      throw errorOfFetch(error, limit.signal);
    } finally {
      limit.end();
    }
  }
}

/**
 * Prepares a client of the gateway's REST address, for example "http://127.0.0.1:8081"; by default the page's own origin. The gateway answers no page of another
 * origin: serve the page and the gateway's /v1 under one. Throws a TypeError for an address that is none, and for a token that would travel unencrypted to another
 * machine.
 */
export function connect(address: string = globalThis.location?.origin, options: ConnectOptions = {}): SseClient {
  const base = new URL(address);
  if (options.token) mustBeSafe(base);
  return new SseClient(base, options.token);
}

function ask(base: URL, path: string, { accept = "application/json", token, ...init }: AskInit & { token: string | undefined }): Promise<Response> {
  const headers = { Accept: accept, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  return fetch(new URL(base.pathname.replace(/\/$/, "") + path, base), { ...init, headers, cache: "no-store" });
}

function mustBeSafe({ origin, protocol, hostname }: URL): void {
  const isThisMachine = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  if (protocol !== "https:" && !isThisMachine) throw new TypeError(`address ${origin}: a token is not sent unencrypted to another machine: use https`);
}
