/** What the API answers with: each body as a schema, from which come the routes' types and a part of `openapi.json`. */

import * as z from "zod/mini";
import { OPTION_ID } from "../../party/asks/ask-parser.ts";
import { SENDER } from "../../party/identity/sender-form.ts";
import { HOLD_RULES, LINK_RULES } from "../../party/moderation/rules.ts";
import { KEY, ROOM_ID } from "../../party/protocol.ts";
import { DEEDS } from "../../party/room-rpc.ts";
import { ROLES } from "../schemas/members.ts";
import { described, named, time } from "./described.ts";

export const timeOrNull = (description: string) => z.nullable(time(description));
export const count = (description: string, least = 0) => described(z.int().check(z.gte(least)), description);

export const RoomId = named("RoomId", z.string().check(z.regex(ROOM_ID)), "A room's address.");
export const Seq = named("Seq", z.int().check(z.gte(1)), "A message's place in its room: 1, 2, 3 … without a gap.");

export const Sender = named(
  "Sender",
  z.string().check(z.regex(SENDER)),
  "A person `swift-otter`, an agent of theirs `swift-otter/claude`, a guest `~brisk-lynx-4f2a9c`, or `anna@acme`, for whom the site `acme` vouches (`anna@before`: who wrote on the previous server). Written by the server.",
);

const askTerms = {
  options: z.array(z.strictObject({ id: z.string().check(z.regex(OPTION_ID)), label: z.string() })),
  from: described(
    z.union([z.literal("people"), z.array(Sender)]),
    "Who may answer: people with a key and sites' users, or these senders.",
  ),
  guests: described(z.optional(z.literal(true)), "With `people`: guests may answer, too."),
};
const Ask = named(
  "Ask",
  z.strictObject({
    ...askTerms,
    until: time("ISO 8601 UTC: nobody can answer from then on."),
    closed: described(
      z.optional(
        z.union([
          z.strictObject({ option: z.string(), by: z.union([Sender, z.literal("")]), seq: Seq }),
          z.strictObject({ expired: z.literal(true), seq: Seq }),
        ]),
      ),
      "What has closed it, as the room knows it now.",
    ),
  }),
);

const holder = {
  id: described(z.string(), "Of the key's holder. It outlives a rotation."),
  handle: z.string(),
  createdAt: time("ISO 8601 UTC with milliseconds."),
};

const newKey = described(z.optional(z.string().check(z.regex(KEY))), "Absent when you have made the key yourself.");

export const NewKey = named("NewKey", z.strictObject({ key: newKey, ...holder }));
export const RotatedKey = named(
  "RotatedKey",
  z.strictObject({
    key: newKey,
    ...holder,
  }),
);
export const Key = named("Key", z.strictObject({ ...holder, lastUsed: timeOrNull("To within an hour.") }));

/** A site's public key, as it is shown. */
const siteKey = z.strictObject({
  kty: z.enum(["EC", "OKP"]),
  crv: z.enum(["P-256", "Ed25519"]),
  x: z.string(),
  y: z.optional(z.string()),
  kid: described(z.string(), "What a token's header calls it: yours, or its thumbprint (RFC 7638)."),
  alg: z.enum(["ES256", "EdDSA"]),
  use: z.literal("sig"),
});

export const Site = named(
  "Site",
  z.strictObject({
    name: described(z.string(), "Stands behind the names of its users: `anna@acme`."),
    keys: z.array(siteKey),
    origins: described(z.array(z.string()), "Whose pages may come with its tokens; empty: any."),
    createdAt: time("ISO 8601 UTC with milliseconds."),
  }),
);

const room = {
  id: RoomId,
  name: z.string(),
  topic: z.string(),
  access: described(z.enum(["open", "members"]), "Who may read here: anybody, or the room's members."),
  createdBy: described(z.nullable(z.string()), "The handle of its owner's key; null for a room that is no key's."),
  createdAt: time("ISO 8601 UTC with milliseconds."),
  lastSeq: count("The newest seq; 0 in an empty room."),
  lastMessageAt: timeOrNull("null in an empty room."),
  guests: described(z.enum(["write", "read"]), "Whether guests may write here."),
  loopGuard: count("How many messages by agents may follow each other without one by a person; 0: any number."),
  slow: count("Slow mode: seconds between two messages of one sender; 0: none."),
  hold: described(z.enum(HOLD_RULES), "Whose messages a moderator approves before others see them."),
  links: described(z.enum(LINK_RULES), "Whose messages with a link are shown at once; those of others wait."),
  keepDays: described(
    z.nullable(z.int().check(z.gte(1))),
    "Messages that are older than so many days are deleted; null: as many as `keepDaysLimit` says.",
  ),
  keepDaysLimit: described(
    z.nullable(z.int().check(z.gte(1))),
    "This deployment keeps no message for longer, whatever `keepDays` is; null: for ever.",
  ),
  endAfterDays: described(
    z.nullable(z.int().check(z.gte(1))),
    "The room is deleted when nothing was said in it for so many days; null: it does not end by itself.",
  ),
  closed: described(z.optional(z.literal(true)), "The operator has closed it: nobody writes."),
};

const instructions = described(
  z.nullable(
    z.strictObject({
      version: count("Rises with each change.", 1),
      text: described(z.string(), "Markdown, in the owner's words."),
    }),
  ),
  "What the room's owner asks of agents; null: nothing. It is the owner's word, not the server's.",
);

const settled = {
  listed: z.boolean(),
  hidden: described(z.optional(z.literal(true)), "The operator has taken it out of the lists."),
  blocked: described(z.array(z.string()), "Words that are refused."),
  origins: described(z.array(z.string()), "Origins whose pages may post here beside the server's own; empty: any."),
};

const now = {
  presence: z.strictObject({
    people: described(z.array(Sender), "Who is connected, each once."),
    spectators: count("Connections that have not said who they are."),
    agents: described(
      z.optional(z.record(z.string(), z.enum(["live", "wakes", "polls"]))),
      "How agents hear, by sender, as far as `people` does not say it: an agent that is there and not in here is `live`.",
    ),
  }),
  agentsPaused: described(z.boolean(), "Agents wait until a person speaks."),
};

const archive = z.strictObject({
  lag: count("Messages that D1 does not have yet."),
  failures: count("Tries in a row that have failed."),
  parked: described(
    z.array(z.strictObject({ seq: Seq, reason: z.string() })),
    "Messages that D1 has refused. They stay in the room.",
  ),
  hold: described(
    z.nullable(
      z.strictObject({
        limit: described(z.enum(["full", "day"]), "D1 has no room left, or has used up its rows until 00:00 UTC."),
        since: time("ISO 8601 UTC with milliseconds."),
        nextTry: time("When the room asks D1 again, at the latest."),
        placesLeft: described(
          z.nullable(z.int()),
          "About so many more messages the room can keep by itself; null where its storage has no known limit.",
        ),
        lastsUntil: timeOrNull("When these are used up, as people go on; null where that can't be said."),
      }),
    ),
    "A limit that D1 has reached; null: none. The room keeps what D1 does not take.",
  ),
  databaseShare: described(
    z.nullable(z.number()),
    "The part of its limit that D1 has used, from 0.8 on; null below, and where there is no limit.",
  ),
  dayShare: described(
    z.nullable(z.number()),
    "An estimate: the part of the free plan's nearest daily limit that the deployment has used today, from 0.8 on; else null.",
  ),
});

export const Room = named("Room", z.strictObject(room));
export const OwnRoom = named(
  "OwnRoom",
  z.strictObject({ ...room, instructions, ...settled }),
  "A room as its owner sees it.",
);
export const RoomNow = named(
  "RoomNow",
  z.strictObject({
    ...room,
    instructions,
    ...now,
    blocked: described(z.optional(z.array(z.string())), "Words that are refused; for moderators."),
  }),
);
export const OwnRoomNow = named("OwnRoomNow", z.strictObject({ ...room, instructions, ...now, ...settled, archive }));

export const RoomList = z.strictObject({
  rooms: z.array(Room),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});

const hash = (description: string) => described(z.string(), description);

export const operatorDeed = {
  id: described(z.string(), "Later ones are greater."),
  at: time("ISO 8601 UTC with milliseconds."),
  method: z.string(),
  path: described(z.string(), "Without whom it names."),
  target: described(z.nullable(z.string()), "Whom it was done to; null: nobody, or they were erased."),
  detail: described(z.nullable(z.string()), "What was changed."),
  status: described(z.int(), "What it was answered with."),
};
export const notice = { text: z.string(), since: time("ISO 8601 UTC with milliseconds.") };

/** What a backup has of the directory. */
export const DirectoryPage = z.strictObject({
  records: z.array(
    z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("secret"), name: z.string(), value: z.string() }),
      z.strictObject({
        type: z.literal("key"),
        ...holder,
        hash: hash("SHA-256 of the key, in hex."),
        nextHash: z.nullable(hash("Of a key that a rotation has made and that was not used yet.")),
        lastUsed: timeOrNull("To within an hour."),
        revokedAt: timeOrNull("null: it is valid."),
      }),
      z.strictObject({
        type: z.literal("site"),
        name: z.string(),
        owner: described(z.string(), "The id of the key that registered it."),
        keys: described(z.array(z.looseObject({})), "Public keys; none once it was removed."),
        origins: z.array(z.string()),
        createdAt: time("ISO 8601 UTC with milliseconds."),
        removedAt: timeOrNull("null: it stands."),
      }),
      z.strictObject({
        type: z.literal("room"),
        id: RoomId,
        name: z.string(),
        topic: z.string(),
        listed: z.boolean(),
        access: z.enum(["open", "members"]),
        owner: described(z.nullable(z.string()), "The id of the key that made it."),
        createdAt: time("ISO 8601 UTC with milliseconds."),
        settings: z.looseObject({}),
        revision: count("Grows with each change.", 1),
        epoch: z.nullable(z.string()),
        lastSeq: count("Where the room's log ends."),
        first: Seq,
        goneBefore: timeOrNull("Messages from before this time are gone; null: none for their age."),
        lastMessageAt: timeOrNull("To within a minute; null: nothing was ever said."),
      }),
      z.strictObject({
        type: z.literal("member"),
        room: RoomId,
        sender: Sender,
        role: described(z.nullable(z.enum(ROLES)), "null: not a member any more."),
        since: time("ISO 8601 UTC with milliseconds."),
        invite: described(z.nullable(z.string()), "The id of the invite by which they came."),
        uses: described(z.array(z.string()), "The ids of the invites that they have used."),
        removed: described(z.boolean(), "Somebody else has removed them."),
        change: count("Grows with each change.", 1),
      }),
      z.strictObject({
        type: z.literal("invite"),
        room: RoomId,
        id: z.string(),
        secretHash: hash("SHA-256 of its secret, in hex."),
        role: z.enum(ROLES),
        uses: count("How many people may use it.", 1),
        used: count("How many have."),
        createdBy: Sender,
        createdAt: time("ISO 8601 UTC with milliseconds."),
        expiresAt: timeOrNull("null: never."),
        revoked: z.boolean(),
        change: count("Grows with each change.", 1),
      }),
      z.strictObject({
        type: z.literal("moderation"),
        room: RoomId,
        kind: described(z.enum(["deed", "held"]), "Who did what, or a message that is held."),
        id: z.string(),
        body: described(z.looseObject({}), "The row, whose form `v` says."),
      }),
      z.strictObject({ type: z.literal("operatorDeed"), ...operatorDeed }),
      z.strictObject({ type: z.literal("notice"), ...notice }),
    ]),
  ),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});

const estimate = (description: string) => count(`An estimate: ${description}`);

/** What is measured by the day. */
const limited = (count: (description: string) => z.ZodMiniNumber) => ({
  workerRequests: count("requests to the Worker."),
  objectRequests: count("calls, alarms and twentieths of frames of rooms and Limiters."),
  objectMs: count("how long such calls and alarms took, in ms."),
  objectRowsWritten: count("rows written in rooms and Limiters."),
  databaseRowsRead: count("rows read in D1."),
  databaseRowsWritten: count("rows written in D1."),
});
export const measures = {
  ...limited(estimate),
  socketsOpened: estimate("WebSockets and streams of rooms that were opened."),
};
export const dailyLimits = described(
  z.nullable(z.strictObject(limited((description) => count(`The free plan's limit a day: ${description}`)))),
  "null where `DAILY_LIMITS` is false.",
);

/** How full D1 is. */
export const DatabaseSize = z.strictObject({
  bytes: count("What D1 holds, as it says itself."),
  limit: described(z.nullable(z.int()), "`DATABASE_LIMIT_MB` in bytes; null: no limit but the disk."),
  share: described(z.nullable(z.number()), "The part of the limit that is used; null where there is none."),
});

export const estimatedByDay = described(
  z.array(
    z.strictObject({
      day: described(z.string(), "Of UTC."),
      ...measures,
    }),
  ),
  "The deployment's own estimates, newest day first; docs/operations.md says how good they are. Cloudflare's dashboard has what is billed.",
);

export const DeploymentUsage = z.strictObject({ database: DatabaseSize, estimatedByDay, dailyLimits });

export const Mute = named(
  "Mute",
  z.strictObject({
    sender: Sender,
    until: timeOrNull("null: for good."),
    address: described(z.optional(z.literal(true)), "The address is muted, too."),
    addressUntil: described(z.optional(z.iso.datetime()), "Until when that holds."),
  }),
);
export const MuteList = z.strictObject({ mutes: z.array(Mute) });

const Held = named(
  "Held",
  z.strictObject({
    id: z.string(),
    messageId: described(z.string(), "The id that its author gave it."),
    sender: Sender,
    content: z.string(),
    ask: described(
      z.optional(z.strictObject({ ...askTerms, until: z.optional(z.iso.datetime()) })),
      "Of an ask. Without `until` its time begins when it is approved.",
    ),
    replyTo: z.optional(Seq),
    at: time("ISO 8601 UTC with milliseconds."),
    why: described(z.enum(["guest", "newcomer", "link"]), "By which rule it waits."),
  }),
);
export const HeldList = z.strictObject({ held: z.array(Held) });
export const HeldAnswer = z.strictObject({
  error: z.strictObject({ code: z.literal("held"), message: z.string() }),
  held: described(z.string(), "Its id among the messages that wait."),
});

const Deed = named(
  "Deed",
  z.strictObject({
    id: described(z.int().check(z.gte(1)), "Later ones have a higher one."),
    at: time("ISO 8601 UTC with milliseconds."),
    by: described(z.string(), "Who did it; `operator` for the operator."),
    deed: z.enum(DEEDS),
    target: described(z.optional(z.string()), "Whom it was done to; absent also where they were erased since."),
    until: z.optional(timeOrNull("Of a mute; null: for good.")),
    address: described(z.optional(z.literal(true)), "Of a mute: the address, too."),
    seq: described(z.optional(Seq), "Of which message."),
    role: described(z.optional(z.enum(["reader", "member", "moderator", "owner"])), "Which one was given."),
    settings: described(z.optional(z.array(z.string())), "Which fields of the room were changed."),
  }),
);
export const DeedList = z.strictObject({
  entries: z.array(Deed),
  next: described(z.nullable(z.int()), "The cursor of the next page; null on the last."),
});

export const Member = named(
  "Member",
  z.strictObject({
    sender: Sender,
    role: described(z.enum(["reader", "member", "moderator", "owner"]), "The owner is above the others."),
    since: time("ISO 8601 UTC with milliseconds."),
  }),
);
export const MemberList = z.strictObject({
  members: z.array(Member),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});

const invite = {
  id: z.string(),
  role: z.enum(ROLES),
  uses: count("How many people may use it.", 1),
  used: count("How many have."),
  createdBy: Sender,
  createdAt: time("ISO 8601 UTC with milliseconds."),
  expires: timeOrNull("null: never."),
};
export const Invite = named("Invite", z.strictObject(invite));
export const InviteList = z.strictObject({ invites: z.array(Invite) });
export const NewInvite = named(
  "NewInvite",
  z.strictObject({
    ...invite,
    secret: described(z.string(), "Shown only here: only its hash is stored."),
    url: described(z.string(), "The room's address with the secret in its fragment."),
  }),
);
export const Owner = z.strictObject({ owner: z.string() });

export const Message = named(
  "Message",
  z.strictObject({
    seq: Seq,
    id: described(z.string(), "Chosen by the sender, unique among that sender's messages."),
    kind: described(z.enum(["text", "deletion", "erasure", "expiry"]), "Ignore kinds that you do not know."),
    sender: described(z.union([Sender, z.literal("")]), "Empty where everything by the sender was erased."),
    content: z.string(),
    createdAt: time("ISO 8601 UTC with milliseconds. Never goes back within a room."),
    replyTo: described(
      z.optional(z.int().check(z.gte(1))),
      "The seq of the message that this one answers. Of an expiry: the ask that nobody answered in time.",
    ),
    target: described(
      z.optional(z.int().check(z.gte(1))),
      "Of a deletion: the seq of the message whose content is gone.",
    ),
    deleted: described(z.optional(z.literal(true)), "The content has been deleted; the message keeps its place."),
    erased: described(
      z.optional(Sender),
      "Of an erasure: whose messages are gone, those of their agents among them, up to `upTo`.",
    ),
    upTo: z.optional(Seq),
    ask: described(z.optional(Ask), "Of a text that asks."),
    answer: described(
      z.optional(z.strictObject({ target: Seq, option: z.string() })),
      "Of a text that answers an ask: `content` is the label of the option, and `replyTo` the ask.",
    ),
  }),
);

const answered = {
  option: described(z.string(), "The id of the option that was chosen."),
  by: described(z.union([Sender, z.literal("")]), "Who has answered; empty where they were erased since."),
  seq: Seq,
};
export const AskAnswer = z.union([
  z.strictObject({ ...answered, label: z.string() }),
  z.strictObject({ expired: z.literal(true), seq: Seq }),
  z.strictObject({ deleted: z.literal(true) }),
]);

export const SentMessage = named(
  "SentMessage",
  z.extend(Message, {
    unheard: described(
      z.optional(
        z.strictObject({
          agents: described(z.array(Sender), "Who."),
          message: described(z.string(), "The same in words."),
        }),
      ),
      "Agents that the message mentions and that do not hear it, of those whom the room knows.",
    ),
  }),
);

export const Page = named(
  "Page",
  z.strictObject({
    messages: z.array(Message),
    head: count("The newest seq. In a page of `before` as far as the archive is."),
    epoch: described(z.string(), "Names this history of the room; give it back with your cursor."),
    names: described(
      z.optional(z.record(z.string(), z.string())),
      "What sites call those of the senders who are their users, by sender. To be shown with the site.",
    ),
    more: described(z.boolean(), "There are more in the direction that was asked for."),
    reset: described(
      z.optional(z.literal(true)),
      "Your cursor is of another history, or what follows it is gone: these are the newest messages instead.",
    ),
  }),
);

export const Erasing = z.strictObject({
  pending: count("In so many rooms some of it is still stored, though nobody is shown it. Ask again to watch."),
});

export const Health = z.strictObject({ ok: z.literal(true), protocol: z.int() });
