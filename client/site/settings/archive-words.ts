/** What the owner of a room should know of where it is kept, in plain words; nothing while all is well. */

import type { ArchiveState } from "../api.ts";
import { dateAndTime } from "../times.ts";

const WHY = {
  full: "The server's database is full",
  day: "The server's database takes no more today",
};
const THEN = {
  full: "It goes on by itself when the server's operator has made room.",
  day: "It goes on by itself after 00:00 UTC.",
};

/** Sentences for the owner. */
export function archiveWords({ hold, databaseShare }: ArchiveState): string {
  if (hold) {
    const { limit, since, placesLeft, lastsUntil } = hold;
    const places =
      placesLeft === null ? "" : ` It has room for about ${placesLeft.toLocaleString("en-US")} more messages`;
    const until = lastsUntil === null ? "" : `, at this pace until ${dateAndTime(lastsUntil)}`;
    const room = placesLeft === null ? "" : `${places}${until}.`;
    return `${WHY[limit]}, since ${dateAndTime(since)}. Nothing is lost: this room keeps new messages by itself.${room} ${THEN[limit]}`;
  }
  if (databaseShare === null) return "";
  const percent = Math.floor(databaseShare * 100);
  return `The server's database is ${percent} % full. When it is full, this room keeps new messages by itself for a while; tell the server's operator.`;
}
