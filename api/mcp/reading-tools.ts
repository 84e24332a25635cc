/** Tools that change nothing: which rooms there are, what was said, what is said next, and who is there. */

import { CLOSED } from "../../party/brief/brief-page.ts";
import { type Instructions, instructionsAsText, NO_INSTRUCTIONS } from "../../party/instructions.ts";
import { fault, type Presence } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";
import { as, epoch, limit, maxChars, mentionsOnly, pathOf, reading, room, seq } from "./parameters.ts";
import type { Arguments, Caller, Tool } from "./tool.ts";

const annotations = { readOnlyHint: true };

interface ListedRoom {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly lastSeq: number;
  readonly lastMessageAt: string | null;
  /** The server's operator has closed it. */
  readonly closed?: true;
}

const listRooms: Tool = {
  name: "list_rooms",
  description: "Public rooms, most recently active first. Unlisted and members' rooms are not here: ask for their id.",
  parameters: {
    q: { type: "string", description: "search in names and topics" },
    limit: { type: "integer" },
    cursor: { type: "string" },
  },
  annotations,
  async run({ q, limit, cursor }, { api }) {
    const { body } = await api.json<{ rooms: ListedRoom[]; next: string | null }>("/api/rooms", {
      query: { q, limit, cursor },
    });
    const lines = body.rooms.map(({ id, name, topic, lastSeq, lastMessageAt, closed }) => {
      const last = lastMessageAt === null ? "" : `, last ${lastMessageAt.slice(0, 16)}Z`;
      return `${id} (${lastSeq} messages${last}${closed ? ", closed" : ""}): ${JSON.stringify(topic === "" ? name : `${name}. ${topic}`)}`;
    });
    if (body.next !== null) lines.push(`# next: cursor=${body.next}`);
    return lines.length === 0 ? "# no rooms" : lines.join("\n");
  },
};

const readRoom: Tool = {
  name: "read_room",
  description:
    "Messages of a room, oldest first, one a line: `seq sender ->reply: text`. Without a cursor the newest. The last line says from where to go on.",
  parameters: {
    room,
    after: { ...seq, description: "read on after this seq" },
    epoch,
    before: { ...seq, description: "read back" },
    around: { ...seq, description: "both sides of a seq" },
    mentions_only: mentionsOnly,
    as,
    limit,
    max_chars: maxChars,
  },
  required: ["room"],
  annotations,
  async run(args, caller) {
    const { room, after, before, around } = args;
    const isFirst = (after ?? before ?? around) === undefined;
    const head = isFirst ? await ownersWords(room, caller) : "";
    const query = { ...reading(args, await readerOf(args, caller), head.length), before, around };
    return head + (await caller.api.text(pathOf(room, "/messages"), { query }));
  },
};

/** How long a wait lasts, s: clients give a call a minute. */
const LONGEST_WAIT = 50;

const waitForMessages: Tool = {
  name: "wait_for_messages",
  description:
    "Waits up to 50 s for others' messages after your cursor; answers at once if there are some. Nothing is consumed; your own messages don't count. `# nothing new`: call again with the same cursor to go on waiting.",
  parameters: {
    room,
    after: { ...seq, description: "the last seq you have read" },
    epoch,
    mentions_only: mentionsOnly,
    wait: { type: "integer", description: "seconds, usually 50" },
    as,
    limit,
    max_chars: maxChars,
  },
  required: ["room", "after"],
  annotations,
  async run({ wait = LONGEST_WAIT, ...args }, caller) {
    const query = { ...reading(args, await readerOf(args, caller)), wait };
    const done = caller.report(Number(wait));
    try {
      return await caller.api.text(pathOf(args.room, "/messages"), { query });
    } finally {
      done();
    }
  },
};

const whoIsHere: Tool = {
  name: "who_is_here",
  description: "Who hears a room, how many only watch, what it is about. Agents: live, wakes when mentioned, or polls.",
  parameters: { room },
  required: ["room"],
  annotations,
  async run({ room }, { api }) {
    const { body } = await api.json<RoomNow>(pathOf(room));
    const { name, topic, access, lastSeq, agentsPaused, presence, closed } = body;
    const lines = [
      `room ${body.id} (${access}, head ${lastSeq}): ${JSON.stringify(topic ? `${name}. ${topic}` : name)}`,
    ];
    lines.push(`here: ${peopleIn(presence)}; ${presence.spectators} watch`);
    if (closed) lines.push(CLOSED);
    else if (agentsPaused) lines.push("# agents are paused until a person writes");
    return lines.join("\n");
  },
};

interface RoomNow extends ListedRoom {
  readonly access: string;
  readonly createdBy: string | null;
  readonly agentsPaused: boolean;
  readonly presence: Presence;
  readonly instructions: Instructions | null;
}

/** What the room's owner asks of agents, above the first reading; `""` where that is nothing. */
async function ownersWords(room: unknown, { api }: Caller): Promise<string> {
  const { body } = await api.json<RoomNow>(pathOf(room));
  return instructionsAsText(body.instructions ?? NO_INSTRUCTIONS, body.createdBy);
}

/** Who hears what is said, and how agents do. */
function peopleIn({ people, agents = {} }: Presence): string {
  const away = Object.keys(agents).filter((agent) => !people.includes(agent));
  const named = [...people, ...away].map((sender) => {
    const hearing = Object.hasOwn(agents, sender) ? agents[sender] : undefined;
    return hearing === undefined ? sender : `${sender} (${hearing})`;
  });
  return named.join(", ") || "nobody";
}

/** What the reader is called. Refuses to look for mentions of somebody who has not said who they are. */
async function readerOf({ as, mentions_only }: Arguments, caller: Caller): Promise<string | undefined> {
  const me = await caller.me(as ?? caller.agent);
  if (me === undefined && (mentions_only === true || mentions_only === "true")) throw new Refused(NOBODY);
  return me;
}

const NOBODY = fault("unauthorized", "Without a key you have no name that could be mentioned.");

export const READING_TOOLS: readonly Tool[] = [listRooms, readRoom, waitForMessages, whoIsHere];
