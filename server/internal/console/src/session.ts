import { ApiError, get, isSignedIn, onSignedOut, signOut } from "./api";
import { Feed } from "./feed";
import { Gateway } from "./gateway";
import { Observable } from "./store";
import type { LogDescription } from "./types";

export type SessionState =
  | { kind: "asking" }
  | { kind: "unreachable"; error: unknown }
  | { kind: "signedOut"; ended: boolean }
  | { kind: "open"; operator: boolean };

/** Who looks at the page, and what they see. */
class Session extends Observable {
  state: SessionState = { kind: "asking" };
  log: LogDescription = {};
  readonly feed = new Feed();
  readonly gateway = new Gateway();

  constructor() {
    super();
    onSignedOut(() => {
      if (this.state.kind !== "open") return;
      this.gateway.stop();
      this.#become({ kind: "signedOut", ended: true });
    });
    void this.begin();
  }

  /** Finds out who it is and what they may see. */
  async begin(): Promise<void> {
    try {
      this.log = await get<LogDescription>("/v1/log");
      const operator = this.log.operator === true;
      this.#become({ kind: "open", operator });
      if (operator) this.gateway.start();
      this.feed.resume();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.#become({ kind: "signedOut", ended: isSignedIn() });
        return;
      }
      this.#become({ kind: "unreachable", error });
      setTimeout(() => void this.begin(), 2000);
    }
  }

  async leave(): Promise<void> {
    this.feed.stop();
    this.gateway.stop();
    try {
      await signOut();
    } finally {
      this.#become({ kind: "signedOut", ended: false });
    }
  }

  #become(state: SessionState): void {
    this.state = state;
    this.changed();
  }
}

export const session = new Session();
