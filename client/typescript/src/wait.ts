/** The pause before the nth attempt is a random part of FIRST_PAUSE * 2^n, at most LONGEST_PAUSE. Milliseconds, as all times here. */
export const FIRST_PAUSE = 200;
export const LONGEST_PAUSE = 20_000;

/** The random wait after so many failures in a row. */
export function pause(failures: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
}

/** Resolves after the time, or when the signal aborts. It never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake);
  });
}

/** Aborts the controller when the signal aborts, with the same reason, until the returned function is called. */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  return onAbort(signal, () => controller.abort(signal?.reason));
}

/** Calls act when the signal aborts, or at once if it has, until the returned function is called. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted) act();
  else signal?.addEventListener("abort", act, { once: true });
  return () => signal?.removeEventListener("abort", act);
}

/** The reason of a signal that has aborted as its time was over. */
export const UNANSWERED = new Error("there was no answer in time");

/** A signal that aborts after the time, or with the other one. end must be called. */
export function timeout(ms: number, other?: AbortSignal): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const unfollow = follow(other, controller);
  const timer = setTimeout(() => controller.abort(UNANSWERED), ms);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      unfollow();
    },
  };
}
