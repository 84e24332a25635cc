import { expect, test } from "vitest";
import { memoryStorage } from "../stay/storage.ts";
import { storageCursor } from "./storage-cursor.ts";

test("a storage keeps it under a name", async () => {
  const storage = memoryStorage();
  const store = storageCursor(storage, "lobby");
  expect(await store.load()).toBeUndefined();
  await store.save({ after: 3, epoch: "e1" });
  expect(await storageCursor(storage, "lobby").load()).toEqual({ after: 3, epoch: "e1" });
  storage.set("lobby", "{broken");
  await expect(storageCursor(storage, "lobby").load()).rejects.toThrow("lobby does not hold a cursor");
});
