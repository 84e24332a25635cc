/** Reading a broken file: what can be read of it is, in its order, and what can't is said. */

import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSource, copySource, fingerprint } from "./source-copy.ts";
import { isGap, SourceFile } from "./source-file.ts";
import { textOf } from "./source-value.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-source-"));
  file = join(folder, "old.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

const TABLES = `CREATE TABLE api_keys (id, key_hash, handle, created_at, last_used);
  CREATE TABLE rooms (id, name, created_at); CREATE TABLE messages (id, room_id, sender, content, created_at)`;
const COUNT = 2_000;

/** The row with this number needs a page for itself. */
const LONG = 100;

/** A file of `COUNT` messages, on many pages. */
function make(before = ""): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA synchronous = OFF; ${before}; ${TABLES}; BEGIN`);
  const insert = db.prepare("INSERT INTO messages VALUES (?, 'den', 'anna', ?, 't')");
  for (let number = 1; number <= COUNT; number++) insert.run(`m${number}`, "x".repeat(number === LONG ? 3_950 : 100));
  db.exec("COMMIT");
  return db;
}

function read(after?: bigint) {
  const source = new SourceFile(file, "old.sqlite");
  try {
    const items = [...source.read("messages", after)];
    const rows = items.filter((item) => !isGap(item)).map((item) => item as Exclude<typeof item, { after: bigint }>);
    return {
      ids: rows.map(({ values }) => textOf(values.id, source.encoding)?.text),
      misplaced: rows.filter(({ isPlaced }) => !isPlaced).length,
      gaps: items.filter(isGap),
    };
  } finally {
    source.close();
  }
}

const idsFrom = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => `m${first + index}`);

interface Leaf {
  readonly pageno: number;
  readonly ncell: number;
}

/** The pages that hold messages, in the order of their rows, and the rows of the one at `index`. */
function leaf(index: number): { page: number; first: number; last: number } {
  const db = new DatabaseSync(file, { readOnly: true });
  const query = "SELECT pageno, ncell FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path";
  const leaves = db.prepare(query).all() as unknown as Leaf[];
  db.close();
  const at = index < 0 ? leaves.length + index : index;
  const first = leaves.slice(0, at).reduce((sum, { ncell }) => sum + ncell, 1);
  const { pageno, ncell } = leaves[at] as Leaf;
  return { page: pageno, first, last: first + ncell - 1 };
}

async function overwrite(page: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.fill(0xff, (page - 1) * 4_096, page * 4_096);
  writeFileSync(file, bytes);
}

describe("a broken page", () => {
  it.each([0, 1, 20, -2, -1])("costs the rows on it, and no others: page %i", async (index) => {
    make().close();
    const { page, first, last } = leaf(index);
    await overwrite(page);
    const { ids, gaps } = read();
    expect(ids).toEqual([...idsFrom(1, first - 1), ...idsFrom(last + 1, COUNT)]);
    expect(gaps).toEqual([
      {
        after: index === 0 ? expect.any(BigInt) : BigInt(first - 1),
        next: index === -1 ? undefined : BigInt(last + 1),
      },
    ]);
  });

  it("after another one is a gap of its own, or the same", async () => {
    make().close();
    const broken = [3, 4, 9].map(leaf);
    for (const { page } of broken) await overwrite(page);
    const isLost = (row: number) => broken.some(({ first, last }) => row >= first && row <= last);
    expect(read().ids).toEqual(idsFrom(1, COUNT).filter((_, index) => !isLost(index + 1)));
  });

  it("before and after a page with a single row leaves that row", async () => {
    make().close();
    const alone = Array.from({ length: 20 }, (_, index) => index).find((index) => leaf(index).first === LONG) as number;
    expect(leaf(alone).last).toBe(LONG);
    const broken = [alone - 1, alone + 1].map(leaf);
    for (const { page } of broken) await overwrite(page);
    const isLost = (row: number) => broken.some(({ first, last }) => row >= first && row <= last);
    expect(read().ids).toEqual(idsFrom(1, COUNT).filter((_, index) => !isLost(index + 1)));
  });

  it("in the table of keys or of rooms leaves the messages as they are", async () => {
    make().close();
    const db = new DatabaseSync(file);
    const [row] = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'api_keys'").all();
    db.close();
    await overwrite(Number(row?.rootpage));
    expect(read().ids).toEqual(idsFrom(1, COUNT));
  });
});

describe("a file", () => {
  it("that ends too early is read up to there", () => {
    make().close();
    const { page, first } = leaf(-10);
    truncateSync(file, (page - 1) * 4_096);
    const { ids, gaps } = read();
    expect(ids).toEqual(idsFrom(1, first - 1));
    expect(gaps.length).toBeGreaterThan(0);
  });

  it("whose rows have garbled numbers is read to its end, in the order in which they lie there", async () => {
    make().close();
    const { page, first } = leaf(5);
    const bytes = await readFile(file);
    const start = (page - 1) * 4_096;
    const cell = start + bytes.readUInt16BE(start + 8 + 2 * 3);
    // A cell begins with the length of what follows (two bytes here), and then the row's number.
    bytes.fill(0x7f, cell + 2, cell + 3);
    writeFileSync(file, bytes);
    const { ids, misplaced, gaps } = read();
    expect(ids).toHaveLength(COUNT);
    expect(ids).toContain(`m${first + 3}`);
    expect({ misplaced, gaps }).toEqual({ misplaced: 1, gaps: [] });
  });

  it("goes on behind a row, as after a crash", () => {
    make().close();
    expect(read(1_234n).ids).toEqual(idsFrom(1_235, COUNT));
  });

  it.each(["UTF-16le", "UTF-16be"])("in %s is read as one in UTF-8", (encoding) => {
    make(`PRAGMA encoding = '${encoding}'`).close();
    expect(read().ids).toEqual(idsFrom(1, COUNT));
  });

  it("with a WAL beside it is read with what is only there, and neither is written to", async () => {
    const db = make("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    const old = join(folder, "left.sqlite");
    for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, old + suffix);
    db.close();
    const before = await Promise.all(["", "-wal"].map((suffix) => readFile(old + suffix)));
    checkSource(old);
    const copies = mkdtempSync(join(folder, "copies-"));
    file = await copySource(old, copies, await fingerprint(old));
    expect(read().ids).toEqual(idsFrom(1, COUNT));
    const after = await Promise.all(["", "-wal"].map((suffix) => readFile(old + suffix)));
    expect(after.every((bytes, index) => bytes.equals(before[index] as Buffer))).toBe(true);
  });

  it("that is written to while it is copied is refused", async () => {
    make().close();
    const hash = await fingerprint(file);
    const db = new DatabaseSync(file);
    db.exec("DELETE FROM messages WHERE rowid = 1");
    db.close();
    await expect(copySource(file, mkdtempSync(join(folder, "copies-")), hash)).rejects.toThrow(
      "was written to while it was read: stop the previous server",
    );
  });
});
