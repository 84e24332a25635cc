/** Messages over HTTP: pages, waiting for what comes, sending, deleting. Adaptors over a room's two verbs, no more. */

import { Hono } from "hono";
import { nanoid } from "nanoid";
import { archivedBefore } from "../party/archive.ts";
import type { Cursor, Page } from "../party/chat-room.ts";
import { toMessage } from "../party/journal.ts";
import {
  fault,
  LIMITS,
  type Message,
  parseAgentName,
  parseSend,
  type Quota,
  type Seq,
  type ServerFrame,
} from "../party/protocol.ts";
import { participantOf } from "../party/sender.ts";
import type { DirectoryEntry } from "./directory.ts";
import { Refused } from "./errors.ts";
import {
  accept,
  authenticate,
  type Call,
  jsonBody,
  numberQuery,
  pageOrigin,
  roomIdOf,
  seqParam,
  seqQuery,
} from "./request.ts";
import { existingRoom } from "./rooms.ts";
import { cursorOf, openSocket, ownSocket } from "./socket.ts";

export const messages = new Hono<{ Bindings: Env }>();

/** Messages of a page unless it says otherwise. */
const USUAL_PAGE = 50;
/** The longest that a request waits for something new, seconds. */
const LONGEST_WAIT = 25;

messages.get("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const limit = numberQuery(c, "limit", 1, LIMITS.page, USUAL_PAGE);
  const wait = numberQuery(c, "wait", 0, LONGEST_WAIT, 0);
  const before = seqQuery(c, "before", 1);
  const cursor = cursorOf(c);
  if (before !== undefined && cursor) throw new Refused(fault("invalid", "Ask for before or for after, not for both."));
  if (wait > 0 && !cursor) throw new Refused(fault("invalid", "wait goes with after."));

  const room = await existingRoom(c, id);
  const archived = room && before !== undefined ? await archivedPage(c, room, before, limit) : undefined;
  if (archived) return c.json(archived);
  const at = cursor ?? (before === undefined ? undefined : { before });
  const page = accept(await c.env.CHAT_ROOM.getByName(id).page(room, at, limit));
  if (wait === 0 || !cursor || page.messages.length > 0) return c.json(page);
  return c.json(await nextPage(c, id, { after: page.head, epoch: page.epoch }, limit, wait));
});

messages.post("/:id/messages", async (c) => {
  const id = roomIdOf(c);
  const { owner, principal } = await authenticate(c);
  const body = await jsonBody(c);
  const as = body.as === undefined || body.as === null ? undefined : accept(parseAgentName(body.as));
  const submission = accept(parseSend({ ...body, id: body.id ?? nanoid() }));
  const room = await existingRoom(c, id);
  const participant = participantOf(owner, principal, as);
  const sent = await c.env.CHAT_ROOM.getByName(id).send(room, participant, submission, pageOrigin(c.req.raw.headers));
  if ("fault" in sent && sent.fault === "rate_limited") setQuota(c, messageQuota(c.env, 0));
  const { message, repeated, quota } = accept(sent);
  if (quota) setQuota(c, quota);
  return c.json(message, repeated ? 200 : 201);
});

messages.delete("/:id/messages/:seq", async (c) => {
  const id = roomIdOf(c);
  const seq = seqParam(c);
  const { owner, principal } = await authenticate(c);
  const as = c.req.query("as");
  const participant = participantOf(owner, principal, as === undefined ? undefined : accept(parseAgentName(as)));
  const room = await existingRoom(c, id);
  const refusal = await c.env.CHAT_ROOM.getByName(id).remove(room, participant, seq);
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

/**
 * A page before `before` from D1 alone, so that it need not wake the room. `seq` has no gaps, so the page itself shows
 * whether D1 has all of it; `undefined` when it has not.
 */
async function archivedPage(c: Call, room: DirectoryEntry, before: Seq, limit: number): Promise<Page | undefined> {
  if (room.epoch === null || before - 1 > room.lastSeq) return undefined;
  const stored = await archivedBefore(c.env.DB, room.id, before, limit).catch(() => []);
  const first = stored[0];
  const wanted = Math.min(limit, before - 1);
  if (!first || first.seq !== before - wanted || stored.length !== wanted) return undefined;
  return { messages: stored.map(toMessage), head: room.lastSeq, epoch: room.epoch, more: first.seq > 1 };
}

/** Waits for what comes after the head; an empty page when nothing does. The room sleeps while it waits. */
async function nextPage(c: Call, id: string, cursor: Required<Cursor>, limit: number, wait: number): Promise<Page> {
  const socket = await ownSocket(await openSocket(c, id, { cursor, uncounted: true }));
  const empty: Page = { messages: [], head: cursor.after, epoch: cursor.epoch as string, more: false };
  try {
    return await new Promise<Page>((resolve, reject) => {
      const timer = setTimeout(() => resolve(empty), wait * 1000);
      const settle = (answer: () => void) => {
        clearTimeout(timer);
        answer();
      };
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data as string) as ServerFrame;
        if (frame.type === "error") {
          settle(() => reject(new Refused(fault(frame.code, frame.message, frame.retryAfter))));
          return;
        }
        const found = frame.type === "welcome" || frame.type === "update" ? (frame.messages ?? []) : [];
        if (found.length > 0) settle(() => resolve(pageOf(found, empty, limit)));
      });
      socket.addEventListener("close", ({ code }) => {
        settle(() =>
          code === 4410 ? reject(new Refused(fault("not_found", "The room was deleted."))) : resolve(empty),
        );
      });
    });
  } finally {
    socket.close(1000);
  }
}

function pageOf(found: Message[], { epoch }: Page, limit: number): Page {
  return { messages: found.slice(0, limit), head: (found.at(-1) as Message).seq, epoch, more: found.length > limit };
}

const messageQuota = (env: Env, remaining: number): Quota => ({
  limit: Number(env.KEY_MESSAGES_PER_MINUTE),
  remaining,
  window: 60,
});

/** The header fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it. */
function setQuota(c: Call, { limit, remaining, window }: Quota): void {
  c.header("ratelimit-policy", `"messages";q=${limit};w=${window}`);
  c.header("ratelimit", `"messages";r=${remaining};t=${window}`);
}
