package io.headgate.client;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Pattern;

/**
 * Keeps the cursor in a file of its own, readable by its owner only. A missing or empty file has no cursor. Saving replaces the file in one step and syncs
 * it, so a crash leaves either the old cursor or the new one. That is a write to the disk for each message: where that is too slow, save less often in a
 * {@link CursorStore} of your own. One process at a time may use the file.
 */
public final class FileCursorStore implements CursorStore {
  private static final Pattern CURSOR = Pattern.compile("[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{32}");
  private static final boolean POSIX = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private final Path file;

  /**
   * Keeps the cursor in this file. Nothing is read or written yet.
   *
   * @param file in a folder that exists; beside it, with ".new" at the end of the name, the next one is written
   */
  public FileCursorStore(Path file) {
    this.file = file.toAbsolutePath();
  }

  @Override
  public String load() throws IOException {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return "";
    }
    String cursor = new String(content, StandardCharsets.ISO_8859_1).strip();
    if (!cursor.isEmpty() && !CURSOR.matcher(cursor).matches()) {
      throw new IOException(file + " does not hold a cursor: restore it, or remove it to begin again");
    }
    return cursor;
  }

  @Override
  public void save(String cursor) throws IOException {
    if (!CURSOR.matcher(cursor).matches()) {
      throw new IOException(file + ": what is to be saved is not a cursor");
    }
    Path next = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(next); // whatever a crash may have left there
    Files.createFile(next, ownerOnly());
    try (FileOutputStream out = new FileOutputStream(next.toFile())) { // not a channel: an interrupt would close that
      out.write((cursor + "\n").getBytes(StandardCharsets.US_ASCII));
      out.getFD().sync();
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    syncFolder();
  }

  private static FileAttribute<?>[] ownerOnly() {
    return POSIX ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))} : new FileAttribute<?>[0];
  }

  /** Makes the move durable. Windows cannot sync a folder. */
  private void syncFolder() throws IOException {
    if (!POSIX) {
      return;
    }
    boolean interrupted = false;
    try {
      for (boolean synced = false; !synced; ) {
        try (FileChannel folder = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
          folder.force(true);
          synced = true;
        } catch (ClosedByInterruptException e) {
          interrupted = Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
