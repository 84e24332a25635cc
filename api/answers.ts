/** What people have answered to an ask, over HTTP: asked once, or waited for. */

import { Hono } from "hono";
import type { Message, Seq } from "../party/protocol.ts";
import type { AskState } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { askAsReader } from "./caller.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { type Call, queryOf, roomIdOf, seqParam } from "./request.ts";
import { RoomReading } from "./room-reading.ts";
import { AnswerQuery } from "./schemas/messages.ts";

export const answers = new Hono<{ Bindings: Env }>();

answers.get("/:id/messages/:seq/answer", async (c) => {
  const { wait } = queryOf(c, AnswerQuery);
  const ask = await waitForAnswer(c, roomIdOf(c), seqParam(c), wait * 1_000);
  if (ask.state === "open") return c.body(null, 204);
  if (ask.state === "deleted") return c.json({ deleted: true as const });
  const { state, ...told } = ask;
  return c.json(state === "expired" ? { expired: true as const, ...told } : told);
});

/** How the ask `seq` stands, as soon as it is no longer open, or once `wait` ms are over. The room sleeps meanwhile. */
export async function waitForAnswer(c: Call, id: string, seq: Seq, wait: number): Promise<AskState> {
  // The ask may be so old that only D1 has it.
  await spendLookup(c);
  const end = Date.now() + wait;
  const log = new RoomReading(c, id);
  const address = clientAddress(c.req.raw.headers);
  for (;;) {
    const { ask, head, epoch } = await askAsReader(c, id, async (room, record, caller) => {
      return await room.answerTo(record, seq, caller, address);
    });
    const left = end - Date.now();
    if (ask.state !== "open" || left <= 0 || c.req.raw.signal.aborted) return ask;
    const isWanted = (message: Message) => changes(message, seq);
    const { messages } = await log.next({ after: head, epoch }, { limit: 1, wait: left, isWanted });
    // The time is over, or the room has ended the wait: who wants to know more asks again.
    if (messages.length === 0) return ask;
  }
}

/** Whether an entry of the log may change how the ask `seq` stands. */
const changes = ({ kind, answer, target, replyTo }: Message, seq: Seq): boolean =>
  answer?.target === seq || target === seq || (kind === "expiry" && replyTo === seq) || kind === "erasure";
