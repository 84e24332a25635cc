/**
 * Judges what clients saw of a room while it was being broken: was every promise about messages kept?
 *
 * It knows nothing of servers or sockets. Participants write down what they invoked and what came back, the room is read
 * once it is quiet, and `checkHistory` compares. A history holds texts only: deletions are the model test's subject.
 */

import type { Message, Seq } from "../../party/protocol.ts";

/** One message that a client wanted sent, through all its attempts. Times in ms on one clock for the whole history. */
export interface Send {
  readonly client: string;
  readonly sender: string;
  readonly id: string;
  readonly content: string;
  /** When it was first sent. */
  readonly invoked: number;
  /** How often it was sent, with the same id. */
  attempts: number;
  /** How many of the attempts were answered with an error. */
  refusals: number;
  /** Each time its sender was told its seq. */
  readonly acks: { readonly seq: Seq; readonly at: number }[];
}

/** What one subscriber received after `after`, in the order of its arrival, over any number of resumed connections. */
export interface Stream {
  readonly subscriber: string;
  readonly epoch: string;
  readonly after: Seq;
  readonly messages: Message[];
  /** Still connected when the room had become quiet: then it has to reach the head. */
  live: boolean;
}

/** One look at the room over HTTP. */
export interface Read {
  readonly reader: string;
  readonly started: number;
  readonly head: Seq;
}

export interface History {
  readonly epoch: string;
  /** The room's own account of everything, once it is quiet. */
  readonly log: readonly Message[];
  /** D1's account after the archive has caught up; absent where it was not looked at. */
  readonly archive?: readonly Message[];
  readonly sends: readonly Send[];
  readonly streams: readonly Stream[];
  readonly reads: readonly Read[];
}

/** What each rule says. */
export const RULES = {
  gapless: "seqs are 1, 2, 3 … without a gap or a repetition",
  clock: "createdAt never goes back",
  once: "a (sender, id) is in the log at most once",
  invented: "everything in the log has been sent, as it stands there",
  kept: "an acknowledged message is in the log at the seq that was acknowledged",
  refused: "a message all of whose attempts were answered with an error is not in the log",
  realTime: "a message sent after another's acknowledgement comes after it in the log",
  senderOrder: "the messages of one client are in the log in the order in which it sent them",
  slice: "a stream is the log from its cursor on, with nothing missing, doubled or changed",
  epoch: "all streams and the log are of one epoch",
  reads: "a read shows everything that was acknowledged before it began",
  archive: "D1 has the same messages as the room",
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

/** Everything that is wrong with `history`; empty when each rule holds. */
export function checkHistory(history: History): Violation[] {
  return [
    ...checkLog(history.log),
    ...checkSends(history),
    ...checkRealTime(history),
    ...checkSenderOrder(history),
    ...history.streams.flatMap((stream) => checkStream(stream, history)),
    ...checkReads(history),
    ...checkArchive(history),
  ];
}

/** A line for each rule that is broken: how often, and the first few cases. */
export function describeViolations(violations: readonly Violation[]): string {
  const byRule = Object.groupBy(violations, ({ rule }) => rule);
  return Object.entries(byRule)
    .map(([rule, cases]) => {
      const first = cases.slice(0, 3).map(({ detail }) => `\n    ${detail}`);
      return `  ${rule}, ${cases.length}×: not kept that ${RULES[rule as Rule]}${first.join("")}`;
    })
    .join("\n");
}

function checkLog(log: readonly Message[]): Violation[] {
  const violations: Violation[] = [];
  for (const [index, { seq, createdAt }] of log.entries()) {
    if (seq !== index + 1) violations.push({ rule: "gapless", detail: `seq ${seq} stands in place ${index + 1}` });
    const before = log[index - 1];
    if (before && before.createdAt > createdAt) {
      violations.push({
        rule: "clock",
        detail: `seq ${seq} is of ${createdAt}, the one before of ${before.createdAt}`,
      });
    }
  }
  return violations;
}

function checkSends({ log, sends }: History): Violation[] {
  const violations: Violation[] = [];
  const sent = new Map(sends.map((send) => [pair(send), send]));
  const places = placesOf(log);
  for (const message of log) {
    const send = sent.get(pair(message));
    if (!send) violations.push({ rule: "invented", detail: `nobody has sent ${show(message)}` });
    else if (send.content !== message.content) {
      violations.push({ rule: "invented", detail: `${show(message)} was sent as "${send.content}"` });
    }
  }
  for (const send of sends) {
    const seqs = places.get(pair(send)) ?? [];
    if (seqs.length > 1) violations.push({ rule: "once", detail: `${pair(send)} is at ${seqs.join(" and ")}` });
    for (const ack of send.acks) {
      if (seqs.includes(ack.seq)) continue;
      const now = seqs.length > 0 ? `is at ${seqs.join(" and ")}` : "is gone";
      violations.push({ rule: "kept", detail: `${pair(send)} was acknowledged as ${ack.seq} and ${now}` });
    }
    const answered = send.acks.length > 0 || send.attempts > send.refusals;
    if (!answered && seqs.length > 0) {
      violations.push({ rule: "refused", detail: `${pair(send)} was refused ${send.refusals}× and is at ${seqs[0]}` });
    }
  }
  return violations;
}

/**
 * Sweeps through invocations and acknowledgements by time: a message has to lie behind the highest seq that was
 * acknowledged before it was sent. Messages without an acknowledgement count too, where they have arrived.
 */
function checkRealTime({ log, sends }: History): Violation[] {
  const violations: Violation[] = [];
  const places = placesOf(log);
  const acks = sends
    .filter((send) => send.acks.length > 0)
    .map((send) => ({ send, seq: send.acks[0]!.seq, at: send.acks[0]!.at }))
    .sort((a, b) => a.at - b.at);
  let next = 0;
  let highest: (typeof acks)[number] | undefined;
  for (const send of sends.toSorted((a, b) => a.invoked - b.invoked)) {
    // Equal times prove no order.
    for (; next < acks.length && acks[next]!.at < send.invoked; next++) {
      if (!highest || acks[next]!.seq > highest.seq) highest = acks[next];
    }
    const seq = places.get(pair(send))?.[0];
    if (seq === undefined || !highest || seq > highest.seq) continue;
    const detail = `${pair(send)} is at ${seq}, but ${pair(highest.send)} had been acknowledged as ${highest.seq} before`;
    violations.push({ rule: "realTime", detail });
  }
  return violations;
}

/** A message that was refused on the way and sent again later has given up its turn. */
function checkSenderOrder({ log, sends }: History): Violation[] {
  const violations: Violation[] = [];
  const places = placesOf(log);
  const latest = new Map<string, { send: Send; seq: Seq }>();
  for (const send of sends) {
    const seq = places.get(pair(send))?.[0];
    if (seq === undefined || send.refusals > 0) continue;
    const before = latest.get(send.client);
    if (before && before.seq > seq) {
      const detail = `${pair(send)} is at ${seq}, ${pair(before.send)} of the same client, sent before it, at ${before.seq}`;
      violations.push({ rule: "senderOrder", detail });
    } else latest.set(send.client, { send, seq });
  }
  return violations;
}

function checkStream(stream: Stream, { log, epoch }: History): Violation[] {
  const { subscriber } = stream;
  if (stream.epoch !== epoch) {
    return [{ rule: "epoch", detail: `${subscriber} was in epoch ${stream.epoch}, the log is of ${epoch}` }];
  }
  for (const [index, message] of stream.messages.entries()) {
    const seq = stream.after + 1 + index;
    if (message.seq !== seq) {
      return [{ rule: "slice", detail: `${subscriber} got seq ${message.seq} where ${seq} was due` }];
    }
    const stored = log[seq - 1];
    if (!stored) return [{ rule: "slice", detail: `${subscriber} got ${show(message)}, which the log does not have` }];
    if (!sameMessage(stored, message)) {
      return [{ rule: "slice", detail: `${subscriber} got ${show(message)}, the log has ${show(stored)}` }];
    }
  }
  const reached = stream.after + stream.messages.length;
  if (stream.live && reached < log.length) {
    return [{ rule: "slice", detail: `${subscriber} is connected and stopped at ${reached} of ${log.length}` }];
  }
  return [];
}

function checkReads({ sends, reads }: History): Violation[] {
  const violations: Violation[] = [];
  const acks = sends.flatMap((send) => send.acks).sort((a, b) => a.at - b.at);
  let next = 0;
  let highest = 0;
  for (const read of reads.toSorted((a, b) => a.started - b.started)) {
    for (; next < acks.length && acks[next]!.at < read.started; next++) highest = Math.max(highest, acks[next]!.seq);
    if (read.head >= highest) continue;
    violations.push({
      rule: "reads",
      detail: `${read.reader} saw head ${read.head}, ${highest} was acknowledged before`,
    });
  }
  return violations;
}

function checkArchive({ log, archive }: History): Violation[] {
  if (!archive) return [];
  const violations: Violation[] = [];
  for (let index = 0; index < Math.max(log.length, archive.length); index++) {
    const [stored, archived] = [log[index], archive[index]];
    if (stored && archived && sameMessage(stored, archived)) continue;
    const detail = `the room has ${stored ? show(stored) : "nothing"}, D1 has ${archived ? show(archived) : "nothing"}`;
    violations.push({ rule: "archive", detail: `place ${index + 1}: ${detail}` });
  }
  return violations;
}

function placesOf(log: readonly Message[]): Map<string, Seq[]> {
  const places = new Map<string, Seq[]>();
  for (const message of log) {
    const seqs = places.get(pair(message));
    if (seqs) seqs.push(message.seq);
    else places.set(pair(message), [message.seq]);
  }
  return places;
}

function sameMessage(a: Message, b: Message): boolean {
  return (
    a.seq === b.seq &&
    a.id === b.id &&
    a.kind === b.kind &&
    a.sender === b.sender &&
    a.content === b.content &&
    a.createdAt === b.createdAt &&
    a.replyTo === b.replyTo
  );
}

const pair = ({ sender, id }: { sender: string; id: string }): string => `${sender} ${id}`;

const show = ({ seq, sender, id, content }: Message): string => `seq ${seq} (${sender} ${id} "${content}")`;
