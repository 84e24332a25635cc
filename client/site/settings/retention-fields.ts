/** How long a room keeps what is said in it, in its settings: two fields, and what they come to. */

import { html } from "lit";
import { LONGEST_KEEP_DAYS } from "../../../party/room-record.ts";
import type { OwnRoom, RoomChange } from "../api.ts";

const days = (count: number): string => (count === 1 ? "1 day" : `${count} days`);

/** The fields as `room` has them. */
export function retentionFields({ keepDays, keepDaysLimit, endAfterDays }: OwnRoom) {
  const otherwise =
    keepDaysLimit === null ? "Empty: they stay." : `Empty: after ${days(keepDaysLimit)}, as on this server.`;
  return html`
    <div class="field">
      <label for="set-keep">Delete messages after days</label>
      <input
        id="set-keep" class="input" name="keepDays" type="number" min="1" max=${keepDaysLimit ?? LONGEST_KEEP_DAYS} step="1"
        placeholder=${keepDaysLimit ?? "Never"} aria-describedby="set-keep-hint"
        .value=${keepDays === null ? "" : String(keepDays)}
      />
      <p id="set-keep-hint" class="hint">Older messages are deleted for everybody and forever. ${otherwise}</p>
    </div>
    <div class="field">
      <label for="set-end">Delete this room after days of silence</label>
      <input
        id="set-end" class="input" name="endAfterDays" type="number" min="1" max=${LONGEST_KEEP_DAYS} step="1"
        placeholder="Never" aria-describedby="set-end-hint"
        .value=${endAfterDays === null ? "" : String(endAfterDays)}
      />
      <p id="set-end-hint" class="hint">When nobody has written for so many days. Empty: never.</p>
    </div>
  `;
}

/** What the fields of a form say. */
export function retentionOf(fields: FormData): Required<Pick<RoomChange, "keepDays" | "endAfterDays">> {
  const number = (name: string) => {
    const text = String(fields.get(name)).trim();
    return text === "" ? null : Number(text);
  };
  return { keepDays: number("keepDays"), endAfterDays: number("endAfterDays") };
}

/** For how many days messages are kept by `keepDays`, where that is shorter than `room` keeps them; `undefined` otherwise. */
export function shortened(room: OwnRoom, keepDays: number | null): number | undefined {
  const [now, then] = [room.keepDays, keepDays].map(
    (wished) => wished ?? room.keepDaysLimit ?? Number.POSITIVE_INFINITY,
  );
  return (then as number) < (now as number) ? (then as number) : undefined;
}

/** What somebody is told before messages are deleted by it. */
export const shorteningNotice = (kept: number): string =>
  `Messages that are older than ${days(kept)} will be deleted at once, for everybody and forever. Save again to do it.`;
