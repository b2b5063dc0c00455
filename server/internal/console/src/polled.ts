import { useEffect, useState } from "preact/hooks";
import { get } from "./api";

export interface Polled<T> {
  value: T | undefined;
  error: unknown;
  again: () => void;
}

/** Asks for the path now, every so often, and when the caller says so. A hidden page does not ask. */
export function usePolled<T>(path: string, every: number): Polled<T> {
  const [state, setState] = useState<{ path: string; value: T | undefined; error: unknown }>({ path, value: undefined, error: undefined });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (!document.hidden) {
          const value = await get<T>(path, abort.signal);
          if (abort.signal.aborted) return;
          setState({ path, value, error: undefined });
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((was) => ({ ...was, error }));
      }
      timer = setTimeout(() => void ask(), every);
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, every, round]);
  return { value: state.path === path ? state.value : undefined, error: state.error, again: () => setRound((n) => n + 1) };
}
