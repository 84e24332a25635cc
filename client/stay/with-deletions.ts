import { type Message, takesSender } from "../../party/protocol.ts";

/** `messages` as they are after the deletions and erasures in `log`. The same array when there is none. */
export function withDeletions(messages: readonly Message[], log: readonly Message[]): readonly Message[] {
  const removals = log.filter(({ kind }) => kind !== "text");
  return removals[0] ? messages.map((message) => removals.reduce(without, message)) : messages;
}

function without(message: Message, { target, erased, upTo = 0 }: Message): Message {
  const { seq, kind, sender, createdAt } = message;
  return erased && kind === "text" && seq <= upTo && takesSender(erased, sender)
    ? { seq, id: `erased:${seq}`, kind, sender: "", content: "", createdAt, deleted: true }
    : seq === target
      ? { ...message, content: "", deleted: true }
      : message;
}
