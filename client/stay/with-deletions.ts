import { type Message, takesSender } from "../../party/protocol.ts";

/** `messages` as they are after the deletions and erasures in `log`. The same array when there is none. */
export function withDeletions(messages: readonly Message[], log: readonly Message[]): readonly Message[] {
  const removals = log.filter(({ kind }) => kind !== "text");
  return removals[0] ? messages.map((message) => removals.reduce(without, message)) : messages;
}

function without(message: Message, { target, erased, upTo = 0 }: Message): Message {
  const { seq, kind, sender, createdAt } = message;
  if (erased && seq <= upTo && takesSender(erased, sender))
    return kind === "text"
      ? { seq, id: `erased:${seq}`, kind, sender: "", content: "", createdAt, deleted: true }
      : { ...message, sender: "" };
  return seq === target ? { ...message, content: "", deleted: true } : message;
}
