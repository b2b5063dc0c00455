package io.headgate.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Remembers what it was told. */
final class MemoryStore implements CursorStore {
  String cursor = "";
  final List<String> saved = new ArrayList<>();
  IOException broken;

  @Override
  public String load() {
    return cursor;
  }

  @Override
  public void save(String next) throws IOException {
    if (broken != null) {
      throw broken;
    }
    cursor = next;
    saved.add(next);
  }
}
