/** What an open room is given by the object that it lives in: the platform, the other objects, and the deployment's wishes. */

import type { Stored } from "./archive/hold.ts";
import type { Audience } from "./audience/audience.ts";
import type { Participant } from "./identity/sender.ts";
import type { Author, Leases } from "./limits/leases.ts";
import type { Admission, Question } from "./limits/limiter.ts";
import type { Database } from "./log/sql.ts";
import type { LobbyRules } from "./moderation/rules.ts";
import type { Fault } from "./protocol.ts";
import type { RecordStore } from "./record-store.ts";
import type { RoomRecord } from "./room-record.ts";
import type { RoomStorage } from "./storage/room-storage.ts";

/** What a room may do beyond its own storage. */
export interface OpenRoomDeps {
  now(): number;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
  readonly storage: RoomStorage;
  readonly records: RecordStore;
  /** How full this object's storage is. */
  stored(): Stored;
  readonly db: Database;
  readonly audience: Audience;
  /** The places that this object may fill without a question. They are the object's, whichever room it is. */
  readonly leases: Leases;
  /** Asks the author's Limiter. A repeated question gets the first answer. Rejects when the Limiter can't be reached. */
  ask(author: Author, question: Question): Promise<Admission | Fault>;
  /** Lets work go on after the event that started it. */
  keepAlive(work: Promise<unknown>): void;
  /** Asks for the room's deadlines and followers in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
  /** How far behind the archive of a quiet room may be, ms, and how many copies all rooms together make in a second. */
  readonly archiveDelay: number;
  readonly copiesPerSecond: number;
  /** For how many days messages are kept at most; 0: for ever. */
  readonly keepDays: number;
  /** Messages a minute that a guest's address and a key may send. */
  readonly perMinute: { readonly guest: number; readonly key: number };
  /** Whether the key has ended with which `participant` came, as far as the room has heard. */
  keyHasEnded(participant: Participant): boolean;
  /** Whether there is a person of this handle with a valid key. Rejects when D1 does not answer. */
  personExists(handle: string): Promise<boolean>;
  /** What the deployment wants for the lobby. */
  readonly lobbyRules: LobbyRules;
  /** D1 has no such room any more. */
  gone(): Promise<void>;
  /** Makes a site's room in D1. Free to happen twice. */
  makeRoom(record: RoomRecord): Promise<RoomRecord | Fault>;
}
