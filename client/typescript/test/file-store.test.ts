import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";

import { fileStore } from "../src/index.js";
import { cursor } from "./scripted.js";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "headgate-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("the last cursor is kept, in a file of its owner's, whatever a kill left beside it", async (t) => {
  const dir = folder(t);
  const path = join(dir, "billing.cursor");
  assert.equal(await fileStore(path).load(), undefined);
  await fileStore(path).save(cursor(1));
  writeFileSync(`${path}.new`, "ccc", { mode: 0o644 });
  assert.equal(await fileStore(path).load(), cursor(1));
  await fileStore(path).save(cursor(2));
  assert.equal(await fileStore(path).load(), cursor(2));
  assert.deepEqual(readdirSync(dir), ["billing.cursor"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("nothing is read into a damaged file", async (t) => {
  const path = join(folder(t), "billing.cursor");
  for (const content of ["", "\n", cursor(1), `${cursor(1)}\r\n`]) {
    writeFileSync(path, content);
    assert.equal(await fileStore(path).load(), content.trim() || undefined);
  }
  for (const content of [cursor(1).slice(1), `${cursor(1)}c`, `${cursor(1).slice(1)}=`, "\0".repeat(22), `${cursor(1)}\nanother`]) {
    writeFileSync(path, content);
    await assert.rejects(fileStore(path).load(), (error: Error) => error.message.includes(path) && !error.message.includes("ccc"));
  }
});

test("what cannot be done is told with the file's name", async (t) => {
  const dir = folder(t);
  await assert.rejects(fileStore(dir).load(), { message: `${dir}: the cursor cannot be read` });
  const path = join(dir, "missing", "billing.cursor");
  await assert.rejects(fileStore(path).save(cursor(1)), (error: Error) => error.message.includes(path));
  await assert.rejects(fileStore(join(dir, "cursor")).save("no cursor"), /not a cursor/);
  assert.deepEqual(readdirSync(dir), []);
});
