import { consume, type Handle } from "./consume.js";
import type { Gateway } from "./gateway.js";
import type { Message } from "./message.js";
import { Reader } from "./reader.js";
import type { Subscription } from "./subscription.js";

/** A connection to a gateway. Many subscriptions can share it. */
export class Client {
  readonly #gateway: Gateway;
  readonly #member: string;

  /** Use connect. */
  constructor(gateway: Gateway, host: string) {
    this.#gateway = gateway;
    this.#member = newMember(host);
  }

  /**
   * Reads the events of the subscription, first the stored ones and then live, for as long as the loop goes on.
   *
   * It connects again, with growing pauses, when the connection breaks, when the gateway stops or is full, and when a stream is silent. It does so only when the
   * loop comes back for the next message, and goes on after the last one that was delivered.
   *
   * With a name the stream is served one shard of the subscription, or waits until there is one. What was handled is saved at the gateway beside the loop, a save at
   * a time, under a lease, and at the latest before the shard goes to another. Leaving the loop gives the shard back at once, which takes up to two seconds when the
   * gateway does not answer. When the lease is lost nothing more is delivered under it, and the next stream begins.
   *
   * When a handling fails, leave the loop by break, return or an error: the message in hand is not saved and comes again, to the next subscribe of whichever
   * replica. Going on counts as handled. Where the loop's body takes long, or can fail, consume is better: it tries again, and tells that the lease is lost.
   *
   * The iteration throws when the gateway refuses (a HeadgateError), when the store fails, when the subscription cannot be meant (a TypeError) and when its signal
   * aborts (the signal's reason). It ends without an error when the loop is left and when stopWhenCaughtUp is reached. Nothing runs on afterwards. What is returned
   * can be iterated once.
   */
  subscribe(subscription: Subscription): AsyncGenerator<Message, void, void> {
    return new Reader(this.#gateway, this.#member, subscription).messages();
  }

  /**
   * Has the events of a named subscription handled, until its signal aborts. It serves up to as many shards at once as the subscription has: those that are this
   * member's share. handle gets the messages of a shard one after the other, those of different shards at the same time. They are events, gaps and erased ones; all
   * else consume does by itself, as subscribe does.
   *
   * A message counts as handled when handle's promise is fulfilled, and its cursor is saved. When it is rejected handle is called again for the same message, after
   * growing pauses, for as long as it takes: that stops this shard, and no other. onFailure is told of each failure; without it a warning goes to the console, with
   * the subscription, the shard, the cursor, the attempt, the wait and the error, and nothing of the event. An event that can never be handled is left out by SkipEvent
   * or `headgate subscription skip`.
   *
   * A gap and an erased one go to every shard, so handle gets each once per shard, at different times.
   *
   * The signal that handle gets aborts when the shard is lost: to another member, because its position was moved, or because the message was left out. What handle
   * then does not matter, and another stream begins. It also aborts ten seconds after the subscription's own, which handle otherwise may use to finish.
   *
   * Messages come again when the process dies, or is cut off for longer than the gateway's grace, before they are saved: handle must be able to take a message twice.
   *
   * The promise is fulfilled when the subscription's signal aborts, once what runs is finished and its shards are given back, and when stopWhenCaughtUp is reached.
   * It is rejected when the gateway refuses (a HeadgateError).
   */
  consume(subscription: Subscription, handle: Handle): Promise<void> {
    return consume(this.#gateway, this.#member, subscription, handle);
  }
}

/** A name for this client that no other has, and that tells an operator where it runs. */
function newMember(host: string): string {
  const random = crypto.getRandomValues(new Uint8Array(5));
  return `${host.replace(/[^!-~]/g, "").slice(0, 100)}-${Array.from(random, (n) => n.toString(16).padStart(2, "0")).join("")}`;
}
