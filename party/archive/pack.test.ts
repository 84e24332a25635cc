import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredMessage } from "../log/stored-message.ts";
import { LIMITS } from "../protocol.ts";
import { firstOf, PACK, PACK_COLUMNS, type PackRow, pack, packsBetween, unpack } from "./pack.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const message = (seq: number, content = `line ${seq}`): StoredMessage => {
  return { seq, id: `m${seq}`, kind: "text", sender: "swift-otter", content, ref: null, at: NOON + seq };
};

/** As D1 gives it. */
function row(first: number, body: ArrayBuffer): PackRow {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE packs (first, form, body)");
  database.prepare("INSERT INTO packs VALUES (?, 1, ?)").run(first, new Uint8Array(body));
  const found = database.prepare(`SELECT ${PACK_COLUMNS} FROM packs`).get();
  database.close();
  return { ...found } as PackRow;
}

describe("a pack", () => {
  it("gives back what was put into it, to the last field and whatever characters are in it", async () => {
    const unit = fc.string({ unit: "binary" });
    const messages = fc
      .uniqueArray(
        fc.record({
          seq: fc.integer({ min: 201, max: 300 }),
          id: unit,
          kind: fc.constantFrom("text" as const, "deletion" as const),
          sender: unit,
          content: unit,
          ref: fc.option(fc.nat()),
          at: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        }),
        { minLength: 1, maxLength: PACK, selector: ({ seq }) => seq },
      )
      .map((some) => some.sort((a, b) => a.seq - b.seq));
    await fc.assert(
      fc.asyncProperty(messages, async (some) => {
        const body = await pack(some);
        expect(await unpack(row(201, body))).toEqual(some);
      }),
    );
  });

  it("keeps every UTF-16 unit, alone or in a pair", async () => {
    const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
    const some = [message(1, units.join("")), message(2, units.reverse().join("")), message(3, "\uD83D\uDE42 \uDE42")];
    expect(await unpack(row(1, await pack(some)))).toEqual(some);
  });

  it("has the place of what is missing in it", async () => {
    const some = [message(103), message(104), message(200)];
    expect(await unpack(row(101, await pack(some)))).toEqual(some);
  });

  it("of the longest messages fits into a row of D1, also when they can't be compressed", async () => {
    // One, two and three bytes a character, mixed so that all bytes are about as frequent.
    const bands = [
      [0x20, 0x7e],
      [0x80, 0x7ff],
      [0x800, 0xd7ff],
    ] as const;
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const encoder = new TextEncoder();
    const longest = () => {
      let content = "";
      for (let bytes = 0; bytes < LIMITS.contentBytes - 3; ) {
        const [from, to] = bands[random(3)] as (typeof bands)[number];
        const character = String.fromCharCode(from + random(to - from + 1));
        content += character;
        bytes += encoder.encode(character).length;
      }
      return content;
    };
    const messages = Array.from({ length: PACK }, (_, index) => message(index + 1, longest()));
    const body = await pack(messages);
    expect(body.byteLength).toBeGreaterThan(1_000_000);
    expect(body.byteLength).toBeLessThan(1_800_000);
    // As digits, too.
    const found = row(1, body);
    expect([found.body.length, found.rest.length].filter((length) => length > 1_800_000)).toEqual([]);
    expect(await unpack(found)).toEqual(messages);
  });

  it("that is damaged, or of a later form, is refused", async () => {
    const body = await pack([message(1)]);
    await expect(unpack({ ...row(1, body), form: 2 })).rejects.toThrow(
      "Pack 1 has form 2, and this server knows form 1.",
    );
    await expect(unpack(row(1, body.slice(0, -3)))).rejects.toThrow();
    await expect(unpack(row(1, new ArrayBuffer(1)))).rejects.toThrow();
  });
});

it("the first seq of its pack follows from a seq", () => {
  expect([1, 2, PACK, PACK + 1, 2 * PACK, 2 * PACK + 1].map(firstOf)).toEqual([1, 1, 1, 101, 101, 201]);
  expect([packsBetween(1, 1), packsBetween(1, 100), packsBetween(100, 101), packsBetween(51, 250)]).toEqual([
    1, 1, 2, 3,
  ]);
});
