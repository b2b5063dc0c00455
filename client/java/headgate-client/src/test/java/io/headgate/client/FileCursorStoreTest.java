package io.headgate.client;

import static io.headgate.client.Responses.cursor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileCursorStoreTest {
  @TempDir Path folder;

  @Test
  void lastCursorIsKept() throws Exception {
    Path file = folder.resolve("billing.cursor");
    CursorStore store = new FileCursorStore(file);
    assertEquals("", store.load());
    for (int n = 1; n <= 3; n++) {
      store.save(cursor(n));
      assertEquals(cursor(n), new FileCursorStore(file).load());
    }
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    try (Stream<Path> all = Files.list(folder)) {
      assertEquals(1, all.count());
    }
  }

  /** Killed before the rename: half a new file beside the old one, with whatever rights. */
  @Test
  void whatAKillLeavesIsSurvived() throws Exception {
    Path file = folder.resolve("billing.cursor");
    CursorStore store = new FileCursorStore(file);
    store.save(cursor(1));
    Files.writeString(folder.resolve("billing.cursor.new"), "ccc");
    assertEquals(cursor(1), store.load());
    store.save(cursor(2));
    assertEquals(cursor(2), store.load());
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void cursorIsKeptWhenTheThreadIsInterrupted() throws Exception {
    CursorStore store = new FileCursorStore(folder.resolve("billing.cursor"));
    Thread.currentThread().interrupt();
    store.save(cursor(1));
    assertTrue(Thread.interrupted());
    assertEquals(cursor(1), store.load());
  }

  @Test
  void nothingIsReadIntoADamagedFile() throws Exception {
    Path file = folder.resolve("billing.cursor");
    CursorStore store = new FileCursorStore(file);
    Map<String, Boolean> contents = new LinkedHashMap<>();
    contents.put("", true);
    contents.put("\n", true);
    contents.put(cursor(1), true);
    contents.put(cursor(1) + "\r\n", true);
    contents.put(cursor(1).substring(1), false);
    contents.put(cursor(1) + "c", false);
    contents.put(cursor(1).substring(1) + "=", false);
    contents.put("\0".repeat(22), false);
    contents.put(cursor(1) + "\nanother", false);
    for (Map.Entry<String, Boolean> one : contents.entrySet()) {
      Files.writeString(file, one.getKey());
      if (one.getValue()) {
        assertEquals(one.getKey().strip(), store.load());
        continue;
      }
      IOException e = assertThrows(IOException.class, store::load);
      assertTrue(e.getMessage().contains(file.toString()) && !e.getMessage().contains("ccc"), e.getMessage());
    }
  }

  @Test
  void whatCannotBeDoneIsTold() {
    assertThrows(IOException.class, () -> new FileCursorStore(folder).load());
    assertThrows(IOException.class, () -> new FileCursorStore(folder.resolve("missing/billing.cursor")).save(cursor(1)));
    Path file = folder.resolve("billing.cursor");
    assertThrows(IOException.class, () -> new FileCursorStore(file).save("no cursor"));
    assertFalse(Files.exists(file));
  }
}
