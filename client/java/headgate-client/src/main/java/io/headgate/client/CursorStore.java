package io.headgate.client;

import java.io.IOException;

/** Keeps one subscription's position. It is used by one thread at a time. */
public interface CursorStore {
  /**
   * Returns the last cursor saved, "" when there is none yet. Whatever keeps it from knowing is an exception: a cursor that is taken for missing would send
   * the subscription back to its start.
   *
   * @return the cursor, or ""
   * @throws IOException when it cannot be known; it ends the subscription
   */
  String load() throws IOException;

  /**
   * Keeps the cursor. When it returns, the cursor must survive a crash. It is called even when the thread has been interrupted in the meantime.
   *
   * @param cursor never empty
   * @throws IOException when it is not kept; it ends the subscription
   */
  void save(String cursor) throws IOException;
}
