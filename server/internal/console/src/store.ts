import { useEffect, useLayoutEffect, useState } from "preact/hooks";

/** Something that changes, and tells those who show it. */
export class Observable {
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  protected changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Renders the caller anew when one of them changes. */
export function useChanges(...all: Observable[]): void {
  const [, render] = useState(0);
  // A layout effect, as it is done with the render: what changed between that and a later effect nobody would show, and an answer can be that fast.
  useLayoutEffect(() => {
    const ends = all.map((one) => one.subscribe(() => render((n) => n + 1)));
    return () => ends.forEach((end) => end());
  }, all);
}

/** Renders the caller every so often, for ages that grow. */
export function useClock(interval = 1000): number {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}
