import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileCursor } from "./cursor.ts";

const folder = mkdtempSync(join(tmpdir(), "meet-ai-cursor-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file gives back what was saved last, and has nothing beside it", async () => {
  const store = fileCursor(join(folder, "a.json"));
  expect(await store.load()).toBeUndefined();
  await store.save({ after: 3, epoch: "e1" });
  await store.save({ after: 4, epoch: "e1", at: "2026-11-26T00:00:00.000Z" });
  expect(await fileCursor(join(folder, "a.json")).load()).toEqual({
    after: 4,
    epoch: "e1",
    at: "2026-11-26T00:00:00.000Z",
  });
  expect(readdirSync(folder)).toEqual(["a.json"]);
});

test("two programs with one file do not take it away from each other", async () => {
  const path = join(folder, "shared.json");
  const stores = Array.from({ length: 8 }, () => fileCursor(path));
  for (let after = 1; after <= 20; after++) {
    await Promise.all(stores.map((store) => store.save({ after, epoch: "e1" })));
    expect(await fileCursor(path).load()).toEqual({ after, epoch: "e1" });
  }
  expect(readdirSync(folder).filter((name) => name.startsWith("shared"))).toEqual(["shared.json"]);
});

test("what a crash has left in the middle of a write is removed with the next start, and nothing else", async () => {
  const place = join(folder, "crashed");
  const path = join(place, "cursor.json");
  mkdirSync(place);
  const old = ["cursor.json.abcdefgh.new", "cursor.json.backup", "another.json.abcdefgh.new"];
  for (const name of [...old, "cursor.json.ABCDEFGH.new"]) writeFileSync(join(place, name), "{");
  for (const name of old) utimesSync(join(place, name), 0, 0);
  const here = process.cwd();
  for (const address of [path, "cursor.json"]) {
    process.chdir(place);
    writeFileSync(join(place, "cursor.json.abcdefgh.new"), "{");
    utimesSync(join(place, "cursor.json.abcdefgh.new"), 0, 0);
    const store = fileCursor(address);
    await store.load();
    await store.save({ after: 3, epoch: "e1" });
    process.chdir(here);
    // The one that is new may be another program's, which is about to move it.
    expect(readdirSync(place).sort()).toEqual(
      ["another.json.abcdefgh.new", "cursor.json", "cursor.json.ABCDEFGH.new", "cursor.json.backup"].sort(),
    );
  }
});

test.each(["", "{broken", "null", '{"after":-1,"epoch":"e"}', '{"after":1}', '{"after":"1","epoch":"e"}'])(
  "a file with %j is not taken for a cursor",
  async (text) => {
    const path = join(folder, "broken.json");
    writeFileSync(path, text);
    await expect(fileCursor(path).load()).rejects.toThrow("broken.json does not hold a cursor");
  },
);
