import type { Gateway } from "./gateway.js";
import type { Holding } from "./holding.js";
import type { HandledMessage, Message } from "./message.js";
import { Reader } from "./reader.js";
import type { Subscription } from "./subscription.js";
import { follow, onAbort, pause, sleep } from "./wait.js";

/** How long a handling may go on when consume is to end. */
const FINISH_WITHIN = 10_000;

/**
 * Handles one message. It counts as handled when this returns, or its promise is fulfilled. signal aborts when the shard is lost, and ten seconds after consume was
 * told to end.
 */
export type Handle = (message: HandledMessage, signal: AbortSignal) => unknown;

/** What Client.consume does. */
export async function consume(gateway: Gateway, member: string, sub: Subscription, handle: Handle): Promise<void> {
  if (!sub.name) throw new TypeError("subscription: consume needs a name");
  if (typeof handle !== "function") throw new TypeError("subscription: consume needs a function that handles the messages");
  const all = new AbortController();
  const unfollow = follow(sub.signal, all);
  let failure: { error: unknown } | undefined;
  const serve = async () => {
    try {
      await serveShard(new Reader(gateway, member, { ...sub, signal: all.signal }), { ...sub, signal: all.signal }, handle);
    } catch (error) {
      if (all.signal.aborted && error === all.signal.reason) return;
      failure ??= { error };
      all.abort(error);
    }
  };
  const streams = sub.shard ? 1 : Math.max(1, sub.shards ?? 1);
  await Promise.all(Array.from({ length: streams }, serve));
  unfollow();
  if (failure) throw failure.error;
}

async function serveShard(reader: Reader, sub: Subscription, handle: Handle): Promise<void> {
  for await (const message of reader.messages()) {
    if (isHandled(message) && reader.held && !(await work(reader.held, sub, message, handle))) return;
  }
}

function isHandled(message: Message): message is HandledMessage {
  return message.kind === "event" || message.kind === "gap" || message.kind === "erased";
}

/** Has a message handled. Returns false when it was not, because consume is to end. That the shard was lost meanwhile the reader sees by itself. */
async function work(held: Holding, sub: Subscription, message: HandledMessage, handle: Handle): Promise<boolean> {
  for (let failures = 0; ; failures++) {
    try {
      await finish(held, sub.signal, message, handle);
      return true;
    } catch (error) {
      if (held.lost) return true;
      if (sub.signal?.aborted) return false;
      const waitMs = pause(failures);
      tell(held, sub, message, failures + 1, error, waitMs);
      await sleepUnlessLost(held, sub.signal, waitMs);
    }
    if (sub.signal?.aborted) return false;
    if (held.lost) return true;
  }
}

async function sleepUnlessLost(held: Holding, signal: AbortSignal | undefined, waitMs: number): Promise<void> {
  const either = new AbortController();
  const unfollow = [follow(held.signal, either), follow(signal, either)];
  await sleep(waitMs, either.signal);
  for (const end of unfollow) end();
}

/** Says that a handling failed: a shard that stands still must not do so unseen. */
function tell(held: Holding, sub: Subscription, message: HandledMessage, attempt: number, error: unknown, waitMs: number): void {
  if (sub.onFailure) return sub.onFailure(message, error, waitMs);
  const particulars = { subscription: sub.name, shard: held.shard, cursor: message.cursor, attempt, waitMs: Math.round(waitMs), error };
  console.warn("headgate: a message could not be handled and is tried again; its shard waits", particulars);
}

/** Calls handle once, with a signal of the shard that aborts some time after consume's too. */
async function finish(held: Holding, signal: AbortSignal | undefined, message: HandledMessage, handle: Handle): Promise<void> {
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const undo = [
    follow(held.signal, ending),
    onAbort(signal, () => {
      timer = setTimeout(() => ending.abort(signal?.reason), FINISH_WITHIN);
    }),
  ];
  try {
    await handle(message, ending.signal);
  } finally {
    clearTimeout(timer);
    for (const end of undo) end();
  }
}
