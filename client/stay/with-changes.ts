/** What later entries of a log change in earlier ones: deletions, erasures, and what closes an ask. */

import { type AskClosed, type Message, type Seq, takesSender } from "../../party/protocol.ts";

/** `messages` as they are after what is in `log`. The same array when that changes nothing. */
export function withChanges(messages: readonly Message[], log: readonly Message[]): readonly Message[] {
  const changes = log.filter(({ kind, answer }) => kind !== "text" || answer);
  return changes[0] ? messages.map((message) => changes.reduce(changed, message)) : messages;
}

function changed(message: Message, change: Message): Message {
  const { ask, ...rest } = message;
  const { seq, kind, sender, createdAt } = rest;
  const { target, replyTo, answer, erased, upTo = 0 } = change;
  const takes = (who: string, said: Seq) => erased && said <= upTo && takesSender(erased, who);
  if (takes(sender, seq))
    return kind === "text"
      ? { seq, id: `erased:${seq}`, kind, sender: "", content: "", createdAt, deleted: true, ...decision(message) }
      : { ...message, sender: "" };
  if (seq === target) return { ...rest, content: "", deleted: true };
  if (!ask) return message;
  let { closed } = ask;
  if (closed && "by" in closed && takes(closed.by, closed.seq)) closed = { ...closed, by: "" };
  else if (!closed && replyTo === seq) {
    if (answer) closed = { seq: change.seq, option: answer.option, by: change.sender };
    if (change.kind === "expiry") closed = { seq: change.seq, expired: true };
  }
  return closed === ask.closed ? message : { ...message, ask: { ...ask, closed: closed as AskClosed } };
}

/** What an answer has decided stays so. */
const decision = ({ answer }: Message): Partial<Message> => (answer ? { answer, replyTo: answer.target } : {});
