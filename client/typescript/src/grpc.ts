import { hostname } from "node:os";
import { isIP } from "node:net";
import type { SecureContextOptions } from "node:tls";

import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { EventService } from "@headgate/proto/headgate/v1/event_service_pb";
import { SubscriptionService } from "@headgate/proto/headgate/v1/subscription_service_pb";

import { Client } from "./client.js";
import { SILENT } from "./closing.js";
import type { Gateway } from "./gateway.js";
import { errorOf } from "./grpc-error.js";
import { UNANSWERED } from "./wait.js";

/** The largest answer taken: an event takes at most 3 MiB, and GetEvent returns its raw body beside it. */
const MAX_MESSAGE = 16 << 20;

/** How to connect. */
export interface ConnectOptions {
  /** A reader's token, sent with every call. It never travels unencrypted to another machine. */
  token?: string;
  /** The terms of the encrypted connection: other roots than Node's (ca), a client certificate (cert, key), the name to expect (servername). */
  tls?: SecureContextOptions & { servername?: string };
}

/** A client over gRPC. */
export class GrpcClient extends Client {
  /** For the generated clients of all other calls. errorOf reads their errors. */
  readonly transport: Transport;
  readonly #session: Http2SessionManager;

  /** Use connect. */
  constructor(transport: Transport, session: Http2SessionManager) {
    super(gatewayOver(transport, session), hostname());
    this.transport = transport;
    this.#session = session;
  }

  /** Ends the connection. What is open on it breaks, and connects again where it does so by itself: end subscriptions by their signals first. */
  close(): void {
    this.#session.abort();
  }
}

/**
 * Prepares a connection to the gateway's gRPC address, "host:port". It returns at once; the first call connects. The connection is encrypted, except to this
 * machine without options.tls. Throws a TypeError for an address without a host or a port.
 */
export function connect(address: string, options: ConnectOptions = {}): GrpcClient {
  const baseUrl = urlOf(address, options.tls !== undefined);
  const session = new Http2SessionManager(baseUrl, { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 }, options.tls);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: session,
    readMaxBytes: MAX_MESSAGE,
    interceptors: options.token ? [bearer(options.token)] : [],
  });
  return new GrpcClient(transport, session);
}

/** The calls over the transport, whose connections the session makes. */
export function gatewayOver(transport: Transport, session: Pick<Http2SessionManager, "state" | "abort">): Gateway {
  const events = createClient(EventService, transport);
  const subscriptions = createClient(SubscriptionService, transport);
  let connections = 0; // that were given up
  /**
   * Gives up the connection over which a call was made for nothing, unless that was done since: an attempt to connect that nobody answers goes on for minutes, and a
   * connection that is dead is noticed only by its ping. All later calls would wait for either.
   */
  const abandon = (connection: number, signal: AbortSignal) => {
    const isDead = (signal.reason === SILENT || signal.reason === UNANSWERED) && connection === connections;
    if (!signal.aborted || !(isDead || session.state() === "connecting")) return;
    connections++;
    session.abort();
  };
  return {
    async *subscribe(request, signal) {
      const connection = connections;
      try {
        yield* events.subscribe(request, { signal });
      } catch (error) {
        throw errorOf(error);
      } finally {
        abandon(connection, signal);
      }
    },
    async saveCursors(request, signal) {
      const connection = connections;
      try {
        await subscriptions.saveCursors(request, { signal });
      } catch (error) {
        throw errorOf(error);
      } finally {
        abandon(connection, signal);
      }
    },
  };
}

/** The URL that stands for an address: encrypted if it is to be, and to any other machine. */
export function urlOf(address: string, encrypted: boolean): string {
  return `${encrypted || !isThisMachine(hostOf(address)) ? "https" : "http"}://${address}`;
}

/** The host of an address, without brackets. */
function hostOf(address: string): string {
  const parts = /^(?:\[([^\]]+)\]|([^:/?#@\s]+)):(\d{1,5})$/.exec(address);
  const host = parts?.[1] ?? parts?.[2];
  if (!host || (parts?.[1] && isIP(host) !== 6)) throw new TypeError(`address ${JSON.stringify(address)}: want host:port`);
  return host;
}

/** Tells whether the host is this machine itself, whatever a name server says. */
function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function bearer(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
