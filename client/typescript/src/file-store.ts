import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import type { Store } from "./store.js";

/**
 * Keeps the cursor in a file of its own, readable by its owner only. A missing or empty file has no cursor. save replaces the file in one step and syncs it, so a
 * crash leaves either the old cursor or the new one. That is a write to the disk for each message: where that is too slow, save less often in a Store of your own.
 */
export function fileStore(path: string): Store {
  return { load: () => load(path), save: (cursor) => save(path, cursor) };
}

async function load(path: string): Promise<string | undefined> {
  let cursor: string;
  try {
    cursor = (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${path}: the cursor cannot be read`, { cause: error });
  }
  if (cursor && !isCursor(cursor)) throw new Error(`${path} does not hold a cursor: restore it, or remove it to begin again`);
  return cursor || undefined;
}

async function save(path: string, cursor: string): Promise<void> {
  if (!isCursor(cursor)) throw new Error(`${path}: what is to be saved is not a cursor`);
  const next = `${path}.new`;
  await rm(next, { force: true }); // whatever a crash may have left there
  const file = await open(next, "wx", 0o600);
  try {
    await file.writeFile(`${cursor}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncDir(dirname(path));
}

/** Makes a rename durable. Windows cannot sync a directory. */
async function syncDir(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const dir = await open(path, "r");
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

/** Tells whether the text has a cursor's form: 22 or 32 characters of base64url. */
function isCursor(text: string): boolean {
  return /^(?:[\w-]{22}|[\w-]{32})$/.test(text);
}
