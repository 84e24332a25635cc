/** Asks people, and waits for the one who answers first: over breaks of the connection and, by the ask's id, over restarts. */

import type { AskOption, Message, Seq } from "../../party/protocol.ts";
import type { Connection } from "./connection.ts";
import type { WaitOptions } from "./draft.ts";
import { readPage } from "./page.ts";
import { randomId } from "./random-id.ts";
import { passes, passesAfter, RoomError } from "./room-error.ts";
import { unlessAborted, withResolvers } from "./signal.ts";
import { withChanges } from "./with-changes.ts";
import type { Writer } from "./writer.ts";

export interface AskOptions extends WaitOptions {
  /** What people can choose from, 2 to 6. A string is both id (1–32 of `a-z 0-9 -`) and label. */
  readonly options: (string | AskOption)[];
  /** `people`, as without it: who has a key, and a site's own users. Or up to 20 senders. Never agents, never oneself. */
  readonly from?: "people" | string[];
  /** With `people`: guests, too. */
  readonly guests?: true;
  /** When it lapses, ISO 8601 in UTC: at most 30 days ahead; without it after 7 days. */
  readonly until?: string;
  /**
   * The ask's id; generated when absent. Asked again under its id, after a restart, it is the same ask, and the answer is found
   * that was given meanwhile.
   */
  readonly id?: string | undefined;
}

/** The answer that counts. */
export interface Answered {
  /** The id of the option. */
  readonly option: string;
  /** Who has chosen it. Empty where everything by them was erased since. */
  readonly by: string;
  /** The seq of the answer. */
  readonly seq: Seq;
}

export async function askPeople(
  connection: Connection,
  writer: Writer,
  question: string,
  { id = randomId(), signal, ...ask }: AskOptions,
): Promise<Answered> {
  const about = { type: "send", id } as const;
  const { promise, resolve, reject } = withResolvers<Answered>();
  let { epoch } = connection;
  /** The ask as it is, once the room has it and this side has seen it. */
  let asked: Message | undefined;
  /** What may have closed it while it was not seen: a page that is on its way may be older than that. */
  let heard: Message[] = [];
  let isOver = false;

  const look = (found: Message | undefined, log: readonly Message[]): void => {
    asked = found && withChanges([found], log)[0];
    const { ask } = asked ?? {};
    const closed = ask?.closed;
    // It is gone, or the room is an older one, for which it is a message like others.
    if (!ask) reject(new RoomError("deleted", "The room has no such ask.", { about }));
    else if (closed && "by" in closed) resolve(closed);
    else if (closed) reject(new RoomError("expired", "Nobody has answered in time.", { about, seq: closed.seq }));
  };

  /** Asks, unless that was done under `known`. What this side has not seen of the ask, the room's log tells. */
  const begin = async (known?: Seq): Promise<void> => {
    const history = epoch;
    let seq = known;
    try {
      seq ??= (await writer.send(question, { id, ask, signal })).seq;
      if (asked?.seq === seq || history !== epoch) return;
      const page = await readPage(connection, { before: seq + 1, limit: 1 });
      const found = page.messages.find((message) => message.seq === seq);
      // In another history the seq is another message, and the ask is looked for by its id.
      if (history === epoch && history === page.epoch) look(found, heard);
    } catch (error) {
      // A signal may have been aborted with anything, also with null.
      const { code, about, retryAfter }: RoomError = Object(error);
      // The writer has waited already. The log can be read later.
      if (about || !passes(code)) reject(error);
      else connection.deps.clock.after(passesAfter({ retryAfter }), () => isOver || begin(seq));
    }
  };

  const stop = connection.subscribe((event) => {
    if (event.type === "messages") {
      asked ??= event.messages.find((message) => message.id === id && message.sender === connection.you?.sender);
      if (asked) look(asked, event.messages);
      else heard.push(...event.messages.filter(({ kind, answer }) => answer || kind !== "text"));
    } else if (event.type === "welcome" && !event.resumed) {
      // What has come meanwhile is not told. In a new history the ask may have another seq: its id finds it.
      const known = epoch === connection.epoch ? asked?.seq : undefined;
      epoch = connection.epoch;
      asked = undefined;
      heard = [];
      void begin(known);
    } else if (event.type === "status" && event.status === "closed") {
      reject(event.error ?? new RoomError("unavailable", "The room was left.", { about }));
    }
  });
  void begin();
  try {
    return await unlessAborted(promise, signal);
  } finally {
    isOver = true;
    stop();
  }
}
