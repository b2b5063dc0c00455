/** Keeps one subscription's position. It is used by one iteration at a time. */
export interface Store {
  /**
   * Returns the last cursor saved, undefined when there is none yet. Whatever keeps it from knowing must be thrown: a cursor that is taken for missing would send
   * the subscription back to its start.
   */
  load(): Promise<string | undefined>;
  /** Keeps the cursor. When the promise is fulfilled the cursor must survive a crash. */
  save(cursor: string): Promise<void>;
}
