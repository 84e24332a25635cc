/** What packing does to a room that is busy while it copies. */

import { expect, it } from "vitest";
import { PACK, pack, unpack } from "../../party/archive/pack.ts";
import { LIMITS } from "../../party/protocol.ts";

it("lets others have their turn while the longest messages are packed, however slow that is", async () => {
  // Few words, all mixed: what the compressor is slowest with.
  const words = "the room keeps each message in one order and sends it to everybody who is connected".split(" ");
  const content = (seq: number) => {
    let text = "";
    for (let at = seq; text.length < LIMITS.contentBytes - 10; at = (at * 48_271) % 2_147_483_647) {
      text += `${words[at % words.length]} `;
    }
    return text;
  };
  const messages = Array.from({ length: PACK }, (_, index) => {
    const seq = index + 1;
    return { seq, id: `m${seq}`, kind: "text" as const, sender: "a-b", content: content(seq), ref: null, at: seq };
  });
  let isPacked = false;
  const packing = pack(messages).finally(() => {
    isPacked = true;
  });
  let turns = 0;
  while (!isPacked) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turns++;
  }
  const body = Array.from(new Uint8Array(await packing), (byte) => byte.toString(16).padStart(2, "0")).join("");
  expect(await unpack({ first: 1, form: 1, body: body.toUpperCase(), rest: "" })).toEqual(messages);
  expect(turns).toBeGreaterThan(10);
});
