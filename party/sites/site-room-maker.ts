/** Makes a site's room with its first message, and never with one that would be refused. */

import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, isFault } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { NOT_STARTED } from "../room-rpc.ts";
import type { Entry } from "../writes/entry.ts";
import type { Submissions } from "../writes/submissions.ts";

export interface SiteRoomMakerDeps {
  /** What the room is now. */
  record(): RoomRecord;
  /** Makes the room in D1. Free to happen twice. */
  makeRoom(record: RoomRecord): Promise<RoomRecord | Fault>;
  readonly submissions: Pick<Submissions, "refuse" | "refuseEntry" | "submit">;
  /** The room is made: this is its row. */
  made(record: RoomRecord): void;
}

export class SiteRoomMaker {
  readonly #deps: SiteRoomMakerDeps;
  #making: Promise<RoomRecord | Fault> | undefined;
  #isClosed = false;

  constructor(deps: SiteRoomMakerDeps) {
    this.#deps = deps;
  }

  /** Makes the room for `entry`, which follows. */
  async makeFor(entry: Entry): Promise<void> {
    const { participant, origin, settle } = entry;
    const { submissions } = this.#deps;
    const refusal = submissions.refuse(participant, origin) ?? submissions.refuseEntry(entry) ?? (await this.#make());
    if (this.#isClosed) settle(NOT_STARTED);
    else if (refusal) settle(refusal);
    else submissions.submit(entry);
  }

  /** The room is gone: what waits for it is told so. */
  close(): void {
    this.#isClosed = true;
  }

  async #make(): Promise<Fault | undefined> {
    const { record, makeRoom, made } = this.#deps;
    this.#making ??= makeRoom(record()).catch((error: unknown) => {
      logEvent("site.room_not_made", { room: record().id, error });
      return NOT_STARTED;
    });
    const room = await this.#making;
    this.#making = undefined;
    if (!isFault(room) && !this.#isClosed) made(room);
    return isFault(room) ? room : undefined;
  }
}
