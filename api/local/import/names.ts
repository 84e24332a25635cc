/** Names of the previous server in today's forms: rooms' ids, handles, senders, ids. All from their own text, so that a second run gives the same. */

import { createHash } from "node:crypto";
import { isReservedName } from "../../../party/identity/agent-name.ts";
import { HANDLE_LENGTH } from "../../../party/identity/handle.ts";
import { previousSender } from "../../../party/identity/sender.ts";
import { ADJECTIVES, ANIMALS } from "../../../party/identity/words.ts";

/** Characters of a room's id, and of the part of a sender before the `@`. */
const LENGTHS = { room: 63, sender: 64 } as const;

/** A handle like `text`. One that could be taken for the server's own voice becomes two words. */
export function handleFrom(text: string, isTaken: (handle: string) => boolean): string {
  const handle = slug(text);
  const base = handle.length >= HANDLE_LENGTH.shortest && !isReservedName(handle) ? handle : wordsFrom(text);
  return distinct(base, text, HANDLE_LENGTH.longest, isTaken);
}

/** A room's id like `text`. */
export function roomIdFrom(text: string, isTaken: (id: string) => boolean): string {
  const id = slug(text);
  return distinct(id.length >= 2 ? id : `room-${id || hash(text).slice(0, 6)}`, text, LENGTHS.room, isTaken);
}

/** The sender of messages by `text`, who has no key: a name that nobody can take. */
export function senderFrom(text: string, isTaken: (sender: string) => boolean): string {
  const isTakenName = (name: string) => isTaken(previousSender(name));
  return previousSender(distinct(slug(text) || `someone-${hash(text).slice(0, 6)}`, text, LENGTHS.sender, isTakenName));
}

/** An id in the place of one that can't stay, always the same for the same text. */
export const idFrom = (text: string): string => `old-${hash(text).slice(0, 24)}`;

/** Lowercase letters, digits and single hyphens; accents go. Empty where no Latin letter or digit is. */
function slug(text: string): string {
  // By way of capitals "ß" becomes "ss".
  const plain = text.toUpperCase().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** `base`, or when that is taken, with a piece of the hash of `text`: as long a piece as it takes. */
function distinct(base: string, text: string, longest: number, isTaken: (name: string) => boolean): string {
  const shortened = base.slice(0, longest).replace(/-$/, "");
  if (!isTaken(shortened)) return shortened;
  const whole = hash(text);
  for (let length = 6; ; length += 2) {
    const suffix = `-${whole.slice(0, length)}`;
    const name = base.slice(0, longest - suffix.length).replace(/-$/, "") + suffix;
    if (!isTaken(name) || length >= 24) return name;
  }
}

function wordsFrom(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  const pick = (words: readonly string[], offset: number) => words[bytes.readUInt32BE(offset) % words.length];
  return `${pick(ADJECTIVES, 0)}-${pick(ANIMALS, 4)}`;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
