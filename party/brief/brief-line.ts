/**
 * A message as one line for a model or a terminal: `12 anna ->9: Yes`. What stands before the first `: ` is the room's word,
 * what stands behind it is what somebody wrote. Server and command line both make their lines here.
 */

import type { Ask, Message } from "../protocol.ts";

/** How long after the message before it a message says its time, ms. */
const TIME_AFTER = 10 * 60_000;

/**
 * `message` as one line, without a line break; `undefined` for a kind that is not known. `previous` is the one in the line
 * above: the time stands only where there is none, or much later. `most`: how many characters the line may have. Only
 * content is cut, and the line says so.
 */
export function briefLine(message: Message, previous?: Message, most = Number.POSITIVE_INFINITY): string | undefined {
  const { seq, sender, kind, target, replyTo, content, deleted, erased, upTo } = message;
  const who = `${seq}${sender && ` ${sender}`}${timeOf(message, previous)}`;
  switch (kind) {
    case "deletion":
      return `${who} deleted ${target}`;
    case "erasure":
      return `${who} erased everything by ${erased || "somebody"} up to ${upTo}`;
    case "expiry":
      return `${who} got no answer to ${replyTo} in time`;
    case "text": {
      if (deleted) return `${who} ${sender === "" ? "(erased)" : "(deleted)"}`;
      const head = `${who}${whatItDoes(message)}`;
      const line = `${head}: ${asData(content)}`;
      return line.length <= most ? line : (cutLine(head, content, most) ?? shortLine(who, message, most));
    }
    default:
      return undefined;
  }
}

/** That it asks, answers or replies. */
function whatItDoes({ ask, answer, replyTo }: Message): string {
  if (ask) return asked(ask);
  if (answer) return ` answers ${answer.target} with ${answer.option}`;
  return replyTo === undefined ? "" : ` ->${replyTo}`;
}

function asked({ options, from, guests, until, closed }: Ask): string {
  const whom = from === "people" ? `people${guests ? " and guests" : ""}` : from.join(", ");
  const choices = options.map(({ id, label }) => (label === id ? id : `${id} ${quoted(label)}`)).join("|");
  if (!closed) return ` asks ${whom} {${choices}} until ${minute(until)}`;
  const end = "option" in closed ? `${closed.by || "somebody erased"} chose ${closed.option}` : "no answer in time";
  return ` asked ${whom} {${choices}}, ${end} (${closed.seq})`;
}

/** As much of `content` as there is room for; `undefined` where there is none. */
function cutLine(head: string, content: string, most: number): string | undefined {
  const lineOf = (length: number) => {
    // Half a character is none.
    const shown = content.slice(0, length).replace(/[\ud800-\udbff]$/, "");
    return `${head} (the first ${shown.length} of ${content.length} characters): ${asData(shown)}`;
  };
  if (lineOf(0).length > most) return undefined;
  let [fits, tooLong] = [0, content.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (lineOf(middle).length <= most) fits = middle;
    else tooLong = middle;
  }
  return lineOf(fits);
}

/** An ask may offer and name more than there is room for: then it says how many are asked, and only the options' ids. */
function shortLine(who: string, { ask, content }: Message, most: number): string {
  const options = ask?.options.map(({ id }) => ({ id, label: id })) ?? [];
  const whom = ask && ask.from !== "people" ? [`${ask.from.length} people`] : "people";
  const head = ask ? `${who}${asked({ ...ask, options, from: whom })}` : who;
  return cutLine(head, content, most) ?? `${head}: …`;
}

/**
 * What is not seen, or breaks or reorders a line: control characters, separators, bidi and other invisible format
 * characters, letters that are blank, and the tag characters in which text can be hidden, as it can in rows of variation
 * selectors. Not the joiners, nor a selector alone: scripts and emoji are made of them.
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among what this finds
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\u034f|\u17b4|\u17b5|[\u180b-\u180d\u180f]|[\ufe00-\ufe0f]{2,}/u;
const EACH_UNSEEN = new RegExp(UNSEEN, "gu");

/** Text as it is, or, where it has a line break or anything unseen in it or looks like a JSON string, as a JSON string. */
function asData(text: string): string {
  return text.startsWith('"') || UNSEEN.test(text) ? quoted(text) : text;
}

/** A JSON string in which everything can be seen. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(EACH_UNSEEN, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );
}

function timeOf({ createdAt }: Message, previous: Message | undefined): string {
  if (!previous) return ` ${minute(createdAt)}`;
  if (Date.parse(createdAt) - Date.parse(previous.createdAt) < TIME_AFTER) return "";
  const isOfDay = createdAt.slice(0, 10) === previous.createdAt.slice(0, 10);
  return ` ${isOfDay ? createdAt.slice(11, 16) : minute(createdAt)}`;
}

/** `2026-11-26T12:04Z` of a time in ISO 8601 UTC. */
const minute = (time: string): string => `${time.slice(0, 16)}Z`;
