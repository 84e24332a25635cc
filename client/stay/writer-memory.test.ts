import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { PONG } from "../../party/protocol.ts";
import { joined, YOU } from "./fake-room.ts";
import { message } from "./fake-socket.ts";
import { Writer } from "./writer.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Bytes that are in use. */
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test("an agent that lives long keeps nothing: 100,000 messages, 100,000 refusals and 100,000 drafts of which none is ended", async () => {
  const { connection, socket, heard, events, clock } = joined();
  const writer = new Writer(connection);
  let seq = 3;
  const live = (index: number) => {
    const about = { type: "error", code: "muted", message: "" } as const;
    writer.send("x", { id: `r${index}` }).catch(() => {});
    socket.deliver({ ...about, about: "send", id: `r${index}` });
    const draft = writer.draft({ id: `d${index}` });
    draft.write("x");
    socket.deliver({ ...about, about: "draft", id: `d${index}` });
    if (index % 2 === 0) draft.abort();
    clock.pass(15_000);
    socket.deliver(PONG);
    void writer.send("x", { id: `m${index}` });
    socket.deliver({ type: "update", messages: [message(++seq, { id: `m${index}`, sender: YOU.sender })] });
    socket.sent.length = heard.length = events.length = 0;
  };
  for (let index = 0; index < 10_000; index++) live(index);
  await turn();
  const before = heap();
  for (let index = 10_000; index < 100_000; index++) {
    live(index);
    // What is settled is let go of after the turn in which it is.
    if (index % 1_000 === 0) await turn();
  }
  // 70 bytes for each of them would be twice as much.
  expect(heap() - before).toBeLessThan(3_000_000);
  expect([connection.status, writer.close()]).toEqual(["open", []]);
});
