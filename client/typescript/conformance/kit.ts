import { Gap_Reason, type Message } from "../src/index.js";

/** Writes one line that the kit reads. */
export function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** What waits at the other end: it answers messages, if asked to. */
export class Kit {
  readonly #left = new AbortController();
  readonly #waiting = new Map<string, Waiting[]>(); // handlings that wait for their answer, by cursor

  constructor(private readonly acknowledge: boolean) {}

  /** Aborts when the kit is gone. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Tells the kit of the message and waits for its answer. */
  async handle(message: Message): Promise<void> {
    const line = describe(message);
    if (!line) return;
    const isAnswered = this.acknowledge && message.kind !== "started" && message.kind !== "checkpoint";
    const answer = isAnswered ? this.#answerTo(message.cursor) : undefined;
    write(line);
    await answer;
  }

  #answerTo(cursor: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.left.aborted) return reject(new Error("the kit is gone"));
      this.#waiting.set(cursor, [...(this.#waiting.get(cursor) ?? []), { resolve, reject }]);
    });
  }

  /** Takes the kit's answers, each for the handling of that cursor that waits longest, until there are no more. */
  async listen(lines: AsyncIterator<string>): Promise<void> {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      const { ok, fail } = JSON.parse(next.value) as { ok?: string; fail?: string };
      const waiting = this.#waiting.get(ok ?? fail ?? "")?.shift();
      if (ok === undefined) waiting?.reject(new Error("the kit wants this handling to fail"));
      else waiting?.resolve();
    }
    this.#left.abort();
    for (const all of this.#waiting.values()) {
      for (const { reject } of all) reject(new Error("the kit is gone"));
    }
  }
}

/** The line of a message, undefined for those that the kit does not ask for. */
function describe(message: Message): object | undefined {
  const { kind, cursor, shard } = message;
  switch (message.kind) {
    case "started":
      return { kind };
    case "event":
      return { kind, cursor, key: message.event.primaryKey, type: message.event.eventType, shard };
    case "gap":
      return { kind, reason: `REASON_${Gap_Reason[message.gap.reason]}`, cursor, shard };
    case "erased":
      return { kind, cursor, shard };
    case "checkpoint":
      return { kind, caught_up: message.checkpoint.caughtUp, cursor };
    default:
      return undefined;
  }
}
