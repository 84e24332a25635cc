/** What moderators are told, in English: it comes with what tells it, so that nobody else loads it. */

import type { Strings } from "../strings/en.ts";

export const words = {
  forTenMinutes: "For 10 minutes",
  forAnHour: "For 1 hour",
  forever: "Forever",
  isMuted: (sender: string) => `${sender} is muted.`,
  undo: "Undo",
  unmute: "Unmute",
  notDone: "The server did not do it. Try again.",
  erase: "Delete all of it…",
  eraseSure: (sender: string) => `Delete everything by ${sender}, with their agents, for everybody and forever?`,
  eraseAll: "Delete everything",
  erased: (sender: string) => `Everything by ${sender} is deleted.`,
  muted: "Muted",
  nobodyMuted: "Nobody is muted.",
  left: (time: string) => `${time} left`,
  addressToo: "Their address, too",
  waits: "Waiting for you",
  nothingWaits: "Nothing waits.",
  approve: "Approve",
  refuse: "Refuse",
  log: "What was done",
  more: "Show more",
  deeds: {
    mute: "muted",
    unmute: "unmuted",
    delete: "deleted a message",
    erase: "deleted everything by a sender",
    approve: "approved a message",
    refuse: "refused a message",
    role: "made",
    remove: "removed",
    settings: "changed the settings",
    owner: "handed the room over",
  } as Readonly<Record<string, string>>,
};

export type ModerationWords = typeof words;

/** The words in the language of `strings`. */
export const wordsOf = ({ moderation }: Strings): ModerationWords => moderation ?? words;
