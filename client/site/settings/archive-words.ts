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

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

/** Sentences for the owner. */
export function archiveWords({ hold, databaseShare, dayShare }: ArchiveState): string {
  if (hold) {
    const { limit, since, placesLeft, lastsUntil } = hold;
    const places =
      placesLeft === null ? "" : ` It has room for about ${placesLeft.toLocaleString("en-US")} more messages`;
    const until = lastsUntil === null ? "" : `, at this pace until ${dateAndTime(lastsUntil)}`;
    const room = placesLeft === null ? "" : `${places}${until}.`;
    return `${WHY[limit]}, since ${dateAndTime(since)}. Nothing is lost: this room keeps new messages by itself.${room} ${THEN[limit]}`;
  }
  const size =
    databaseShare === null
      ? []
      : [
          `The server's database is ${percent(databaseShare)} full. When it is full, this room keeps new messages by itself for a while; tell the server's operator.`,
        ];
  const day =
    dayShare === null
      ? []
      : [
          `The server has used about ${percent(dayShare)} of what it may use today. When that is used up, some things wait until 00:00 UTC.`,
        ];
  return [...size, ...day].join(" ");
}
