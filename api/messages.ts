/** Messages over HTTP: reading pages, waiting, sending, deleting. Each calls the room, which has all the rules. */

import { Hono } from "hono";
import { nanoid } from "nanoid";
import { parseSubmission } from "../party/asks/ask-parser.ts";
import { configurationOf } from "../party/configuration.ts";
import { operator, type Participant, participantOf } from "../party/identity/sender.ts";
import { fault, isFault, type Quota } from "../party/protocol.ts";
import type { PresentedToken } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { readBriefly } from "./brief-reading.ts";
import { Refused } from "./errors.ts";
import { setQuota } from "./quota.ts";
import {
  accept,
  authenticate,
  bodyOf,
  type Call,
  foreignOrigin,
  isOperator,
  presentedToken,
  queryOf,
  roomIdOf,
  seqParam,
} from "./request.ts";
import { askRoom } from "./room-object.ts";
import { RoomReading } from "./room-reading.ts";
import { AgentQuery, MessageQuery, NewMessage } from "./schemas/messages.ts";

export const messages = new Hono<{ Bindings: Env }>();

messages.get("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const query = queryOf(c, MessageQuery);
  const log = new RoomReading(c, id, query.as);
  if (query.format === "brief") return c.text(await readBriefly(log, query));
  const { limit, before, after, epoch, wait } = query;
  if (before !== undefined) return c.json(await log.page({ before }, limit));
  if (after === undefined) return c.json(await log.page(undefined, limit));
  const page = await log.page({ after, epoch }, limit);
  if (wait === 0 || page.reset || page.messages.length > 0) return c.json(page);
  return c.json(await log.next({ after: page.head, epoch: page.epoch }, { limit, wait: wait * 1_000 }));
});

messages.post("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const author = await authorOf(c);
  const { id: messageId = nanoid(), as, ...said } = await bodyOf(c, NewMessage);
  const submission = accept(parseSubmission({ id: messageId, ...said }));
  const participant = author(as);
  const origin = foreignOrigin(c.req.raw);
  const address = clientAddress(c.req.raw.headers);
  const { message, repeated, quota, unheard } = await askRoom(c, id, async (room, record) => {
    const sent = await room.send(record, participant, submission, origin, address);
    if (isFault(sent) && sent.fault === "rate_limited") {
      setQuota(c, "messages", messageQuota(c.env, 0), sent.retryAfter);
    }
    return sent;
  });
  if (quota) setQuota(c, "messages", quota);
  return c.json({ ...message, ...(unheard && { unheard }) }, repeated ? 200 : 201);
});

messages.delete("/:id/messages/:seq", async (c) => {
  const id = roomIdOf(c);
  const seq = seqParam(c);
  const participant = isOperator(c) ? operator : (await authorOf(c))(queryOf(c, AgentQuery).as);
  const address = clientAddress(c.req.raw.headers);
  await askRoom(c, id, async (room, record) => await room.remove(record, participant, seq, address));
  return c.body(null, 204);
});

/** Who writes, once it is said as which of their agents. */
export async function authorOf(c: Call): Promise<(as: string | undefined) => Participant | PresentedToken> {
  const token = presentedToken(c);
  if (!token) {
    const { owner, keyHash } = await authenticate(c);
    return (as) => participantOf(owner, keyHash, as);
  }
  return (as) => {
    if (as !== undefined) throw new Refused(NO_AGENTS);
    return token;
  };
}

const NO_AGENTS = fault("invalid", "A site's user has no agents: as goes with a key.");

const messageQuota = (env: Env, remaining: number): Quota => ({
  limit: configurationOf(env).keyMessagesPerMinute,
  remaining,
  window: 60,
});
