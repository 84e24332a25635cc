/** Messages over HTTP: reading pages, waiting, sending, deleting. Each calls the room, which has all the rules. */

import { Hono } from "hono";
import { nanoid } from "nanoid";
import { type ArchivedRow, messagesBefore } from "../party/archive/d1-messages.ts";
import { together } from "../party/archive/d1-reader.ts";
import { erasuresOf, toErasures } from "../party/archive/d1-senders.ts";
import type { PackRow } from "../party/archive/pack.ts";
import { configurationOf } from "../party/configuration.ts";
import { operator, type Participant, participantOf } from "../party/identity/sender.ts";
import { withErasures } from "../party/log/erasure.ts";
import { toMessage } from "../party/log/journal.ts";
import { mayRead } from "../party/permissions.ts";
import { CLOSE, fault, isFault, type Message, type Quota, type Seq, type ServerFrame } from "../party/protocol.ts";
import { goneBefore, isGone } from "../party/retention/keep.ts";
import type { Cursor, Page, PresentedToken } from "../party/room-rpc.ts";
import { isSiteUser } from "../party/sites/site-name.ts";
import { clientAddress } from "./address.ts";
import { askAsReader } from "./caller.ts";
import { findRoomWith } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { setQuota } from "./quota.ts";
import {
  authenticate,
  bodyOf,
  type Call,
  foreignOrigin,
  isOperator,
  NO_SUCH_ROOM,
  presentedToken,
  queryOf,
  roomIdOf,
  seqParam,
} from "./request.ts";
import { askRoom } from "./room-object.ts";
import { AgentQuery, MessageQuery, NewMessage } from "./schemas/messages.ts";
import { openStream, ownSocket } from "./socket.ts";

export const messages = new Hono<{ Bindings: Env }>();

messages.get("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const { limit, before, after, epoch, wait } = queryOf(c, MessageQuery);
  const cursor = after === undefined ? undefined : { after, epoch };
  const archived = before === undefined ? undefined : await archivedPage(c, id, before, limit);
  if (archived) return c.json(archived);
  const at = cursor ?? (before === undefined ? undefined : { before });
  const address = clientAddress(c.req.raw.headers);
  const page = await askAsReader(c, id, async (room, record, caller) => {
    return await room.page(record, at, limit, caller, address);
  });
  if (wait === 0 || !cursor || page.reset || page.messages.length > 0) return c.json(page);
  return c.json(await nextPage(c, id, { after: page.head, epoch: page.epoch }, limit, wait));
});

messages.post("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const author = await authorOf(c);
  const { content, id: messageId = nanoid(), as, replyTo } = await bodyOf(c, NewMessage);
  const submission = { id: messageId, content, ...(replyTo !== undefined && { replyTo }) };
  const participant = author(as);
  const origin = foreignOrigin(c.req.raw);
  const address = clientAddress(c.req.raw.headers);
  const { message, repeated, quota } = await askRoom(c, id, async (room, record) => {
    const sent = await room.send(record, participant, submission, origin, address);
    if (isFault(sent) && sent.fault === "rate_limited") {
      setQuota(c, "messages", messageQuota(c.env, 0), sent.retryAfter);
    }
    return sent;
  });
  if (quota) setQuota(c, "messages", quota);
  return c.json(message, repeated ? 200 : 201);
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

/**
 * A page before `before` from D1 alone, so that it need not wake the room. `seq` has no gaps, so the page itself shows
 * whether D1 has all of it; `undefined` when it has not.
 */
async function archivedPage(c: Call, id: string, before: Seq, limit: number): Promise<Page | undefined> {
  await spendLookup(c);
  const queries = [...messagesBefore(c.env.DB, id, before, limit), erasuresOf(c.env.DB, id)];
  const found = await findRoomWith(c.env.DB, id, queries).catch(() => undefined);
  if (!found) return undefined;
  const { room, results } = found;
  if (!room) throw new Refused(NO_SUCH_ROOM);
  // Only the room knows its members.
  if (!mayRead(room, undefined)) return undefined;
  if (room.epoch === null || before - 1 > room.lastSeq) return undefined;
  const [packs, rows, erased] = results as [PackRow[], ArchivedRow[], unknown[]];
  const erasures = toErasures(erased);
  const older = await together(packs, rows).catch(() => []);
  const time = goneBefore(room, configurationOf(c.env).keepDays, Date.now());
  const gone = older.filter((message) => isGone(message, time)).at(-1);
  const begin = Math.max(room.firstSeq, (gone?.seq ?? 0) + 1);
  const stored = older
    .filter(({ seq }) => seq >= begin && seq < before)
    .slice(-limit)
    .map((message) => withErasures(message, erasures));
  const wanted = Math.max(0, Math.min(limit, before - begin));
  const first = before - wanted;
  // Only the room knows what sites call their users.
  if (stored.some(({ sender }) => isSiteUser(sender))) return undefined;
  if (stored.length !== wanted || (stored[0]?.seq ?? first) !== first) return undefined;
  return { messages: stored.map(toMessage), head: room.lastSeq, epoch: room.epoch, more: first > begin };
}

/** Waits for what comes after the head; an empty page when nothing does. The room sleeps while it waits. */
async function nextPage(c: Call, id: string, cursor: Required<Cursor>, limit: number, wait: number): Promise<Page> {
  const socket = await ownSocket(await openStream(c, id, { cursor, uncounted: true, knowsErasures: true }));
  const empty: Page = { messages: [], head: cursor.after, epoch: cursor.epoch as string, more: false };
  try {
    return await new Promise<Page>((resolve, reject) => {
      const timer = setTimeout(() => resolve(empty), wait * 1000);
      const settle = (answer: () => void) => {
        clearTimeout(timer);
        answer();
      };
      // The client has gone, and its place among the connections of its address is free again.
      c.req.raw.signal.addEventListener("abort", () => settle(() => resolve(empty)));
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data as string) as ServerFrame;
        if (frame.type === "error") {
          settle(() => reject(new Refused(fault(frame.code, frame.message, frame.retryAfter))));
          return;
        }
        // The room has started over meanwhile: the next question, with this epoch, is told so.
        if (frame.type === "welcome" && frame.reset) return settle(() => resolve(empty));
        const found = frame.type === "welcome" || frame.type === "update" ? (frame.messages ?? []) : [];
        const names = frame.type === "welcome" || frame.type === "update" ? frame.names : undefined;
        const head = frame.type === "welcome" ? frame.head : (found.at(-1)?.seq ?? cursor.after);
        if (found.length > 0) settle(() => resolve(pageOf(found, { ...empty, head, ...(names && { names }) }, limit)));
      });
      socket.addEventListener("close", ({ code }) => {
        settle(() => {
          if (code === CLOSE.deleted) reject(new Refused(fault("not_found", "The room was deleted.")));
          else if (code === CLOSE.identifyAgain || code === CLOSE.unauthorized) reject(new Refused(ASK_AGAIN));
          else resolve(empty);
        });
      });
    });
  } finally {
    socket.close(1000);
  }
}

/** The page of a frame: a long update comes in several, so there may be more up to the head. */
function pageOf(found: Message[], { epoch, head, names }: Page, limit: number): Page {
  const messages = found.slice(0, limit);
  const senders = new Set(messages.map(({ sender }) => sender));
  const known = Object.entries(names ?? {}).filter(([sender]) => senders.has(sender));
  return {
    messages,
    head,
    epoch,
    more: (messages.at(-1) as Message).seq < head,
    ...(known.length > 0 && { names: Object.fromEntries(known) }),
  };
}

/** What the caller is in the room has changed while they waited: the next question is answered by what they are now. */
const ASK_AGAIN = fault("unauthorized", "Who may read this room has changed: ask again.");

const messageQuota = (env: Env, remaining: number): Quota => ({
  limit: configurationOf(env).keyMessagesPerMinute,
  remaining,
  window: 60,
});
