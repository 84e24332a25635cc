import { expect, it } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { GuestBook } from "./guest-book.ts";

const NOON = 1_800_000_000_000;

function setUp(limit = 3) {
  const clock = { now: NOON };
  const storage = new TestKeyValues();
  const open = () => new GuestBook({ limit, storage, now: () => clock.now });
  return { clock, storage, open };
}

it("lets so many new guests in a minute in, and tells the next one when to come again", async () => {
  const { clock, open } = setUp();
  const book = open();
  for (const sender of ["~a", "~b", "~c"]) expect(await book.welcome(sender)).toBeUndefined();
  clock.now += 20_000;
  expect(await book.welcome("~d")).toEqual({
    fault: "rate_limited",
    message: "At most 3 new guests in 60 seconds from one address.",
    retryAfter: 40,
  });
  clock.now += 40_000;
  expect(await book.welcome("~d")).toBeUndefined();
});

it("counts nobody twice, and writes nothing for a guest who comes back, also after a sleep", async () => {
  const { storage, open } = setUp();
  for (const sender of ["~a", "~b", "~c"]) await open().welcome(sender);
  expect(storage.rows).toBe(3);
  for (let times = 0; times < 10; times++) expect(await open().welcome("~a")).toBeUndefined();
  expect(storage.rows).toBe(3);
  expect(await open().welcome("~d")).toMatchObject({ fault: "rate_limited" });
});

it("keeps a bounded list, in which the guest who came first is forgotten first", async () => {
  const { storage, open } = setUp(1_000);
  const book = open();
  for (let count = 0; count < 300; count++) await book.welcome(`~guest-${count}`);
  expect(storage.get<{ known: string[] }>("guests")?.known).toHaveLength(200);
  const rows = storage.rows;
  await book.welcome("~guest-299");
  expect(storage.rows).toBe(rows);
  await book.welcome("~guest-0");
  expect(storage.rows).toBe(rows + 1);
});

it("lets nobody new in when the limit is no number", async () => {
  const { open } = setUp(Number.NaN);
  expect(await open().welcome("~a")).toMatchObject({ fault: "rate_limited" });
});

it("does not keep who was here, also not of before, and lets those of before in once more", async () => {
  const { storage, open } = setUp();
  storage.put("guests", { version: 1, arrivals: [], known: ["~brisk-lynx-4f2a9c"] });
  expect(await open().welcome("~brisk-lynx-4f2a9c")).toBeUndefined();
  expect(JSON.stringify(storage.get("guests"))).not.toContain("lynx");
  expect(storage.rows).toBe(2);
});
