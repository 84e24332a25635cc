/** The handle that a person may choose for a new key, and the handles that nobody may have. */

import { type Fault, fault } from "../protocol.ts";
import { isReservedName } from "./agent-name.ts";

/** What a handle looks like: words of small letters and digits, with one hyphen between two of them. */
const HANDLE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** The length of a handle, in characters. */
export const HANDLE_LENGTH = { shortest: 3, longest: 31 } as const;

/** Handles that read as if nobody in particular had them, or as if the reader had. */
const MISLEADING: readonly string[] = [
  "agent",
  "anonymous",
  "anybody",
  "anyone",
  "before",
  "bot",
  "deleted",
  "everybody",
  "guest",
  "me",
  "nobody",
  "null",
  "somebody",
  "someone",
  "undefined",
  "unknown",
  "user",
  "you",
];

/** Whether `text` has the form of a handle. */
export const isHandle = (text: string): boolean =>
  HANDLE.test(text) && text.length >= HANDLE_LENGTH.shortest && text.length <= HANDLE_LENGTH.longest;

/** The handle that somebody asks for, or why nobody can have it. Whether it is free only D1 can tell. */
export function parseHandle(handle: unknown): string | Fault {
  if (typeof handle !== "string" || !isHandle(handle)) {
    const { shortest, longest } = HANDLE_LENGTH;
    return fault(
      "invalid",
      `handle must be ${shortest} to ${longest} characters: words of a-z and 0-9, with one hyphen between two words.`,
    );
  }
  return isReservedName(handle) || MISLEADING.includes(handle) ? reserved(handle) : handle;
}

/**
 * Why `handle` is not to be had in a deployment that keeps `words` for itself (each may have hyphens): one of them stands
 * whole in it. Digits count as the letters that they look like.
 */
export function refuseHandle(handle: string, words: readonly string[]): Fault | undefined {
  const parts = `-${asLetters(handle)}-`;
  return words.some((word) => parts.includes(`-${asLetters(word)}-`)) ? reserved(handle) : undefined;
}

const reserved = (handle: string): Fault => fault("invalid", `handle must not be "${handle}": that name is reserved.`);

/** `text` as somebody in a hurry reads it: `acm3` as `acme`. */
export const asLetters = (text: string): string => text.replace(/[0134578]/g, (digit) => LETTERS[digit] ?? digit);

const LETTERS: Readonly<Record<string, string>> = { 0: "o", 1: "l", 3: "e", 4: "a", 5: "s", 7: "t", 8: "b" };
