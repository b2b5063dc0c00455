import { ApiError, request, Unreachable } from "./api";
import { seconds } from "./format";
import type { StatusMessage, StreamMessage } from "./types";

/** How often the gateway says something when there is nothing to say, in seconds. */
const HEARTBEAT = 5;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;

export type StreamState =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; why: string; until: number }
  | { kind: "ended"; error: ApiError };

export interface StreamListener {
  message(message: StreamMessage): void;
  state(state: StreamState): void;
}

/** The stream was silent for two heartbeats, or ended although nobody said why. */
class Lost extends Error {}

/** The gateway said that it ends the stream, and when to come back. */
class Closed extends Error {
  constructor(readonly after: number, readonly at: string) {
    super(at);
  }
}

/**
 * Reads a stream of lines of JSON for as long as it is not stopped. After every break it goes on after the last cursor, so that nothing is missed and nothing comes
 * twice. It is not an EventSource, because that shows no checkpoints, and so a dead connection looks to the page like a quiet one.
 */
export class LiveStream {
  readonly #abort = new AbortController();
  readonly #listener: StreamListener;
  readonly #query: [string, string][];
  #start: [string, string][];
  #failures = 0;

  constructor(query: [string, string][], start: [string, string][], listener: StreamListener) {
    this.#query = query;
    this.#start = start;
    this.#listener = listener;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Begins, or goes on after an end, for example when somebody has signed in again. */
  start(): void {
    void this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let wait: number;
      this.#listener.state({ kind: "connecting" });
      try {
        await this.#read();
        return; // it was stopped
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && !error.passes) {
          this.#listener.state({ kind: "ended", error });
          return;
        }
        wait = this.#waitAfter(error);
        this.#listener.state({ kind: "waiting", why: error instanceof Error ? error.message : "the connection broke", until: Date.now() + wait });
      }
      await new Promise<void>((resume) => {
        const timer = setTimeout(resume, wait);
        signal.addEventListener("abort", () => { clearTimeout(timer); resume(); }, { once: true });
      });
    }
  }

  #waitAfter(error: unknown): number {
    if (error instanceof Closed) return error.after;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures++);
    return Math.max(wait, error instanceof ApiError ? (error.retryAfter ?? 0) : 0);
  }

  async #read(): Promise<void> {
    const attempt = new AbortController();
    const stop = (): void => attempt.abort();
    this.#abort.signal.addEventListener("abort", stop, { once: true });
    let silent = false;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => { silent = true; attempt.abort(); }, 2000 * HEARTBEAT);
    };
    try {
      alive();
      const query = new URLSearchParams([...this.#query, ...this.#start, ["heartbeat_interval", `${HEARTBEAT}s`], ["client_name", "console"]]);
      const response = await request(`/v1/events:subscribe?${query}`, { signal: attempt.signal });
      for await (const line of linesOf(response)) {
        alive();
        this.#take(line);
      }
      throw new Lost("the connection broke");
    } catch (error) {
      if (silent) throw new Lost("the stream fell silent");
      if (error instanceof ApiError || error instanceof Lost || error instanceof Closed || error instanceof Unreachable) throw error;
      throw new Lost("the connection broke");
    } finally {
      clearTimeout(watchdog);
      attempt.abort();
      this.#abort.signal.removeEventListener("abort", stop);
    }
  }

  #take(line: string): void {
    const { result, error } = JSON.parse(line) as { result?: StreamMessage; error?: StatusMessage };
    if (error) throw new ApiError(error.code === 14 || error.code === 8 ? 503 : 500, error);
    if (!result) return;
    if (result.started) {
      this.#failures = 0;
      this.#listener.state({ kind: "open" });
    }
    this.#listener.message(result);
    if (result.cursor) this.#start = [["start.after_cursor", result.cursor]];
    if (result.closing) throw new Closed(seconds(result.closing.retry_after) * 1000, closingWords(result.closing.reason));
  }
}

function closingWords(reason: string | undefined): string {
  switch (reason) {
    case "REASON_GRANT_CHANGED":
      return "what you may read has changed";
    case "REASON_CREDENTIAL_EXPIRED":
      return "your token has expired";
    case "REASON_MAX_AGE":
      return "the stream had its hour";
    case "REASON_OPERATOR":
      return "an operator ended this stream";
    case "REASON_DRAINING":
      return "the gateway is stopping";
  }
  return "the gateway ended the stream";
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return; // what is left is half a line: it comes again
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line) yield line;
  }
}
