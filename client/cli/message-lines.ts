/**
 * Messages as lines. What somebody wrote stays theirs in each form: a line break in it can't begin a line that looks like
 * another message, and nothing in it is a control sequence.
 */

import type { Ask, Message, Names } from "../../party/protocol.ts";
import type { Output } from "./output.ts";
import { visibleLine, visibleText } from "./visible-text.ts";

/** A time of this machine's zone: of today the time alone, or always with the day. */
export function timeOf(iso: string, precision: "time" | "day", now = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "?";
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return precision === "time" && date.toDateString() === now.toDateString() ? time : `${day} ${time}`;
}

/** Where the lines behind the first one begin. */
const INDENT = "      ";

/** How messages of a room are shown to a person. */
export interface HumanForm {
  /** The room's id. */
  readonly room: string;
  readonly names: Names;
  readonly style: Output["style"];
  readonly now?: Date;
}

/** For a person: time, sender, text; further lines are indented, so that none of them begins as a message does. */
export function humanLines(message: Message, { room, names, style, now }: HumanForm): string {
  const { seq, sender, createdAt, replyTo, ask } = message;
  const called = names[sender];
  const name = called === undefined ? visibleLine(sender) : `${visibleLine(called)} (${visibleLine(sender)})`;
  const [first = "", ...more] = visibleText(message.content).split("\n");
  const reply = replyTo === undefined ? "" : style("dim", ` re #${replyTo}`);
  const head = `${style("dim", `${timeOf(createdAt, "time", now)} #${seq}`)} ${style(["bold", colourOf(sender)], name)}${reply}`;
  const answers = ask && !ask.closed ? [style("dim", `To answer: ${waysToAnswer(room, seq, ask)}`)] : [];
  return [`${head}  ${first}`, ...[...more, ...answers].map((line) => INDENT + line)].join("\n");
}

/** The commands that answer an ask, one an option. */
const waysToAnswer = (room: string, seq: number, { options }: Ask): string =>
  options
    .map(({ id, label }) => `meet-ai answer ${room} ${seq} ${id}${label === id ? "" : ` (${visibleLine(label)})`}`)
    .join("  or  ");

const COLOURS = ["cyan", "green", "yellow", "magenta", "blue"] as const;

/** The same sender has the same colour everywhere. */
function colourOf(sender: string): (typeof COLOURS)[number] {
  let hash = 0;
  for (const character of sender) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return COLOURS[hash % COLOURS.length] as (typeof COLOURS)[number];
}

/** For `cut` and `awk`: seq, time, sender and text between tabs, on one line. */
export function plainLine({ seq, createdAt, sender, content }: Message): string {
  return [String(seq), createdAt, sender, content].map(plainField).join("\t");
}

/** A backslash stands before itself and before the n and t that stand for a line break and a tab. */
const plainField = (text: string): string =>
  visibleText(text).replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
