import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileCursor, storageCursor } from "./cursor.ts";
import { memoryStorage } from "./storage.ts";

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

test.each(["", "{broken", "null", '{"after":-1,"epoch":"e"}', '{"after":1}', '{"after":"1","epoch":"e"}'])(
  "a file with %j is not taken for a cursor",
  async (text) => {
    const path = join(folder, "broken.json");
    writeFileSync(path, text);
    await expect(fileCursor(path).load()).rejects.toThrow("broken.json does not hold a cursor");
  },
);

test("a storage keeps it under a name", async () => {
  const storage = memoryStorage();
  const store = storageCursor(storage, "lobby");
  expect(await store.load()).toBeUndefined();
  await store.save({ after: 3, epoch: "e1" });
  expect(await storageCursor(storage, "lobby").load()).toEqual({ after: 3, epoch: "e1" });
});
