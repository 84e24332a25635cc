/** Entries of a log that have no place yet, and logs to append them to. */

import { askContent } from "../../party/asks/ask.ts";
import { RoomLog } from "../../party/log/room-log.ts";
import { answerKind, type Unplaced } from "../../party/log/stored-message.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";
import { TestStorage } from "./sqlite.ts";

const options = ["yes", "no"].map((id) => ({ id, label: id }));
export const ASKED = askContent("Go?", { options, from: "people" });

export const ask = (id: string, sender = "anna/bot"): Unplaced => {
  return { id, kind: "ask", sender, content: ASKED, ref: null };
};

export const answer = (ref: number, sender = "bob", option = "yes"): Unplaced => {
  return { id: `answer-${ref}`, kind: answerKind(option), sender, content: option, ref };
};

export const expiry = (ref: number): Unplaced => {
  return { id: `expire:${ref}`, kind: "expiry", sender: "anna/bot", content: "", ref };
};

/** The erasure of what `erased` has said up to the seq `upTo`. */
export const erasure = (erased: string, upTo: number, sender = "anna"): Unplaced => {
  return { id: `erase:${upTo}:${erased}`, kind: "erasure", sender, content: erased, ref: upTo };
};

/** The log on a disk, as a room opens it that has slept. */
export const openLog = (disk: TestStorage): RoomLog => RoomLog.open(new RoomStorage(disk));

/** A new log on a disk. */
export function startedLog(disk = new TestStorage()): RoomLog {
  const log = openLog(disk);
  log.start({ messages: [] });
  return log;
}
