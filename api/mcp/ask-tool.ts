/** The tool by which a model asks people, and waits for one of them to decide. */

import type { Message, Seq } from "../../party/protocol.ts";
import { withIds } from "./option-ids.ts";
import { as, messagePathOf, pathOf, room, seq } from "./parameters.ts";
import type { Arguments, Caller, Tool } from "./tool.ts";

/** How long one call waits for an answer, s: clients give a call a minute. */
const LONGEST_WAIT = 50;

/** What the API tells of an ask that is closed. */
type Closed =
  | { readonly option: string; readonly label: string; readonly by: string; readonly seq: Seq }
  | { readonly expired: true; readonly seq: Seq }
  | { readonly deleted: true };

export const askPeople: Tool = {
  name: "ask_people",
  description:
    "Asks people a question with buttons, and waits up to 50 s for the first answer. Go on waiting with room and seq.",
  parameters: {
    room,
    question: { type: "string" },
    options: { type: "array", items: { type: "string" }, description: "2-6 labels" },
    from: {
      type: "array",
      items: { type: "string" },
      description: "who may answer; absent: anybody with a key",
    },
    until: { type: "string", description: "ISO 8601; usually in 7 days" },
    id: { type: "string", description: "as in send_message" },
    seq: { ...seq, description: "of an ask that waits" },
    wait: { type: "integer", description: "seconds, usually 50" },
    as,
  },
  required: ["room"],
  annotations: { destructiveHint: false, idempotentHint: true },
  async run(args, caller) {
    const { room, wait = LONGEST_WAIT } = args;
    const asked = args.seq ?? (await ask(args, caller));
    const done = caller.report(Number(wait));
    try {
      const path = messagePathOf(room, asked, "/answer");
      const closed = await caller.api.jsonIfAny<Closed>(path, { query: { wait } });
      if (closed) return wordsFor(closed);
      return `# asked as seq=${asked}, no answer yet: call ask_people with room and seq=${asked} to go on waiting`;
    } finally {
      done();
    }
  },
};

/** Asks, and gives the seq of the ask. With the same id it is the same ask. */
async function ask({ room, question, options, from, until, id, as }: Arguments, { api, agent }: Caller): Promise<Seq> {
  const body = {
    content: question,
    id,
    as: as ?? agent,
    ask: { options: Array.isArray(options) ? withIds(options) : options, from, until },
  };
  return (await api.json<Message>(pathOf(room, "/messages"), { method: "POST", body })).body.seq;
}

function wordsFor(closed: Closed): string {
  if ("deleted" in closed) return "deleted: the ask is gone, and nobody can answer it.";
  if ("expired" in closed) return `expired: nobody has answered in time (seq=${closed.seq}).`;
  const { option, label, by, seq } = closed;
  return `answered: ${option} ${JSON.stringify(label)} by ${by} (seq=${seq})`;
}
