/**
 * A room that knows itself and has its log: all parts of it, opened together and closed together.
 *
 * What is done to a room is done here, whichever way it comes: over a socket, as a call of the Worker's, by the alarm. A
 * room that was deleted and made again is another open room; the old one writes nothing any more.
 */

import { Archive } from "./archive/archive.ts";
import { announceEpoch } from "./archive/d1-messages.ts";
import { archivedHistory } from "./archive/d1-reader.ts";
import { traceOf } from "./archive/d1-senders.ts";
import type { Stored } from "./archive/hold.ts";
import type { Audience } from "./audience/audience.ts";
import { Drafts } from "./audience/drafts.ts";
import type { ToldState } from "./audience/flow/welcomes.ts";
import type { Socket } from "./audience/socket-state.ts";
import { Updates } from "./audience/updates.ts";
import { isGuest, type Participant, personOf } from "./identity/sender.ts";
import type { Author, Leases } from "./limits/leases.ts";
import type { Admission, Question } from "./limits/limiter-rpc.ts";
import { PrincipalQuota } from "./limits/principal-quota.ts";
import { Closed } from "./log/closed.ts";
import { type ArchivedPair, type Earlier, Journal, type JournalDeps, type StoredMessage } from "./log/journal.ts";
import { JsonLog } from "./log/json-log.ts";
import { Reader } from "./log/reader.ts";
import type { Database } from "./log/sql.ts";
import { archivedRoster } from "./members/d1-roster.ts";
import { Invitations } from "./members/invitations.ts";
import { Membership } from "./members/membership.ts";
import { Roster } from "./members/roster.ts";
import { RosterCopy } from "./members/roster-copy.ts";
import type { Submission } from "./message-parser.ts";
import { archivedModeration } from "./moderation/d1-moderation.ts";
import { Decisions } from "./moderation/decisions.ts";
import { Moderation } from "./moderation/moderation.ts";
import { beginModeration } from "./moderation/moderation-copy.ts";
import { ModerationTables } from "./moderation/moderation-tables.ts";
import { Newcomers } from "./moderation/newcomers.ts";
import { Pace, READ_AT_WAKE } from "./moderation/pace.ts";
import { type LobbyRules, type Rules, rulesOf, toldRules } from "./moderation/rules.ts";
import { Screen } from "./moderation/screen.ts";
import {
  mayDelete,
  mayOwn,
  mayRead,
  type Reader as RoomReader,
  refuseBySettings,
  refuseExpired,
  refuseModerator,
  refuseReader,
} from "./permissions.ts";
import {
  CLOSE,
  type DraftFrame,
  errorFrame,
  type Fault,
  fault,
  isFault,
  type Role,
  type RoomInfo,
  type Seq,
  takesSender,
} from "./protocol.ts";
import type { RecordStore } from "./record-store.ts";
import { goneBefore } from "./retention/keep.ts";
import { Retention } from "./retention/retention.ts";
import { silentUntil } from "./retention/silence.ts";
import { type RoomRecord, roomInfo } from "./room-record.ts";
import { type Cursor, type ErasureProgress, NOT_STARTED, type Page, type RoomState } from "./room-rpc.ts";
import { SiteUsers } from "./sites/site-users.ts";
import type { Entry, Outcome } from "./writes/entry.ts";
import { Erasures } from "./writes/erasures.ts";
import { Submissions } from "./writes/submissions.ts";

/** What a room may do beyond its own storage. */
export interface OpenRoomDeps {
  now(): number;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
  readonly storage: JournalDeps;
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
  /** Asks for `duties` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
  /** How far behind the archive may be, ms. */
  readonly archiveDelay: number;
  /** For how many days messages are kept at most; 0: for ever. */
  readonly keepDays: number;
  /** Messages a minute that a guest's address and a key may send. */
  readonly perMinute: { readonly guest: number; readonly key: number };
  /** Whether there is a person of this handle with a valid key. Rejects when D1 does not answer. */
  personExists(handle: string): Promise<boolean>;
  /** What the deployment wants for the lobby. */
  readonly lobbyRules: LobbyRules;
  /** D1 has no such room any more. */
  gone(): Promise<void>;
  /** Makes a site's room in D1. Free to happen twice. */
  makeRoom(record: RoomRecord): Promise<RoomRecord | Fault>;
}

export class OpenRoom {
  readonly #deps: OpenRoomDeps;
  #record: RoomRecord;
  readonly #journal: Journal;
  readonly #log: JsonLog;
  readonly #retention: Retention;
  readonly #archive: Archive;
  readonly #reader: Reader;
  readonly #submissions: Submissions;
  readonly #erasures: Erasures;
  readonly #drafts = new Drafts();
  readonly #draftQuota = new PrincipalQuota("drafts");
  readonly #deletionQuota = new PrincipalQuota("deletions");
  readonly #updates: Updates;
  readonly #roster: Roster;
  readonly #siteUsers: SiteUsers;
  readonly #rosterCopy: RosterCopy;
  readonly #membership: Membership;
  readonly #invitations: Invitations;
  readonly #moderation: Moderation;
  readonly #screen: Screen;
  readonly #newcomers: Newcomers;
  readonly #decisions: Decisions;
  #isClosed = false;
  /** The room is being made. */
  #making: Promise<RoomRecord | Fault> | undefined;

  private constructor(record: RoomRecord, journal: Journal, deps: OpenRoomDeps) {
    const { now, schedule, db, audience, leases, ask, wakeIn } = deps;
    this.#deps = deps;
    this.#record = record;
    this.#journal = journal;
    this.#retention = new Retention({
      now,
      room: record,
      journal,
      db,
      record: () => this.#record,
      deployment: deps.keepDays,
      noted: (change) => this.#note({ ...this.#record, ...change }),
    });
    this.#log = new JsonLog(journal, () => this.#retention.hide());
    this.#archive = new Archive({
      setBack: () => {
        this.#roster.copyAgain();
        this.#rosterNoted();
      },
      room: record.id,
      createdAt: record.createdAt,
      journal,
      db,
      now,
      holds: { load: () => deps.records.hold, save: (hold) => deps.records.saveHold(hold) },
      stored: deps.stored,
      keepAlive: deps.keepAlive,
      wakeIn: deps.wakeIn,
      delay: deps.archiveDelay,
      gone: deps.gone,
      retention: this.#retention,
      ordered: (orders) => deps.keepAlive(this.#erasures.obey(orders)),
    });
    this.#reader = new Reader({ room: record.id, journal, db, retention: this.#retention });
    this.#roster = new Roster(deps.storage);
    this.#siteUsers = new SiteUsers(deps.storage.sql);
    this.#rosterCopy = new RosterCopy({ room: record, roster: this.#roster, db, wakeIn });
    this.#membership = new Membership({
      now,
      record: () => this.#record,
      roster: this.#roster,
      siteRoleOf: (sender) => this.#siteUsers.roleOf(sender, now()),
      personExists: deps.personExists,
      changed: (sender) => this.#standingChanged(sender),
      noted: () => this.#rosterNoted(),
      did: (deed) => this.#moderation.note(deed),
    });
    this.#invitations = new Invitations({
      now,
      record: () => this.#record,
      roster: this.#roster,
      changed: (sender) => this.#standingChanged(sender),
      noted: () => this.#rosterNoted(),
    });
    this.#moderation = new Moderation({
      now,
      record: () => this.#record,
      storage: deps.storage,
      db,
      named: (sender) => this.#membership.named(sender),
      reader: (participant) => this.reader(participant),
      connected: () => audience.participants(),
      tell: (frame, which) => audience.tell(frame, which),
      keptFor: () => now() - goneBefore(this.#record, deps.keepDays, now()),
      schedule: (delay, run) => void schedule(delay, run),
      keepAlive: deps.keepAlive,
      wakeIn,
    });
    this.#newcomers = new Newcomers({
      journal,
      wroteInD1: async (person) => {
        const { id, createdAt } = this.#record;
        return (await traceOf(db, { id, createdAt }, person))?.wrote ?? false;
      },
    });
    this.#screen = new Screen({
      now,
      rules: () => this.rules,
      pace: new Pace({ now, recent: () => journal.before(journal.head + 1, READ_AT_WAKE) }),
      held: this.#moderation.held,
      newcomers: this.#newcomers,
      heldOne: () => this.#moderation.heldOne(),
    });
    this.#decisions = new Decisions({
      now,
      record: () => this.#record,
      reader: (participant) => this.reader(participant),
      moderation: this.#moderation,
      find: (seq) => this.#find(seq),
      place: (entry) => this.#submissions.place(entry),
      tellAuthor: (sender, refusal) => audience.tell(errorFrame(refusal), (author) => author.sender === sender),
    });
    this.#submissions = new Submissions({
      now,
      schedule,
      record: () => this.#record,
      reader: (participant) => this.reader(participant),
      journal,
      findInD1: (sender, id) => this.#reader.findInD1(sender, id),
      audience: () => audience.size,
      leases,
      ask,
      begin: () => this.#updates.begin(),
      screen: this.#screen,
      wrote: (author) => this.#moderation.wrote(author),
      publish: (messages) => this.#publish(messages),
    });
    this.#erasures = new Erasures({
      record: () => this.#record,
      journal,
      archive: this.#archive,
      db,
      submit: (entry) => this.#submissions.submit(entry),
      refuse: (participant, sender) => {
        const reader = this.reader(participant);
        // The owner may erase their own words, too.
        return refuseModerator(this.#record, reader, mayOwn(reader) ? undefined : this.#membership.named(sender));
      },
      refuseAnother: (participant) => (participant.isOperator ? undefined : this.#refuseDeletion(participant)),
      erased: (sender, by, seq) => {
        this.#siteUsers.forget(sender);
        this.#endDrafts((author) => takesSender(sender, author.sender));
        this.#newcomers.forget(sender);
        this.#moderation.erased(sender);
        this.#moderation.note({ by, deed: "erase", detail: { seq } });
      },
      schedule: (delay, run) => void schedule(delay, run),
      wakeIn: deps.wakeIn,
    });
    this.#updates = new Updates({
      now,
      drafts: this.#drafts,
      audience: () => audience.size,
      takePresenceChange: () => audience.takePresenceChange(),
      info: () => this.#info,
      broadcast: (update) => audience.broadcast(update),
      wake: () => this.#submissions.wake(),
    });
    this.#endLostDrafts();
  }

  /** The room that this object's storage knows; `undefined` when it knows none. Synchronous, and writes nothing. */
  static recall(deps: OpenRoomDeps): OpenRoom | undefined {
    const record = deps.records.load();
    const journal = new Journal(deps.storage);
    return record && journal.started ? new OpenRoom(record, journal, deps) : undefined;
  }

  /**
   * Begins the room of `record`: with an empty log, or behind what D1 has when this object has lost its own. Writes
   * nothing when `isWanted` says that the room was deleted while D1 was asked.
   */
  static async begin(record: RoomRecord, deps: OpenRoomDeps, isWanted: () => boolean): Promise<OpenRoom | Fault> {
    try {
      const journal = new Journal(deps.storage);
      if (!journal.started) {
        const [{ messages, pairs, erasures }, roster, moderation] = await Promise.all([
          archivedHistory(deps.db, record.id, record.lastSeq),
          archivedRoster(deps.db, record.id),
          archivedModeration(deps.db, record.id),
        ]);
        if (!isWanted()) return NOT_STARTED;
        // Before the log: a room that has its log is taken to know its members.
        new Roster(deps.storage).begin(roster);
        beginModeration(new ModerationTables(deps.storage), moderation);
        journal.start({ ...keptOf(record, messages, pairs, deps), head: record.lastSeq, erasures });
        if (messages.length > 0) await announce(record, journal.epoch, deps.db);
      }
      if (!isWanted()) return NOT_STARTED;
      deps.records.save(record);
      return new OpenRoom(record, journal, deps);
    } catch (error) {
      console.error("The room can't be rebuilt from D1", { room: record.id, error });
      return NOT_STARTED;
    }
  }

  get record(): RoomRecord {
    return this.#record;
  }

  /** How the room is, beyond its row. */
  get state(): RoomState {
    const { head, lastAt } = this.#journal;
    return {
      head,
      lastMessageAt: lastAt === 0 ? null : new Date(lastAt).toISOString(),
      presence: this.#deps.audience.presence.current(),
      agentsPaused: this.#submissions.agentsPaused,
      archive: {
        lag: this.#archive.lag,
        failures: this.#archive.failures,
        parked: this.#journal.parked(),
        hold: this.#archive.hold,
      },
    };
  }

  /** Takes over a row that is newer than the one that is known, and tells everybody. */
  adopt(record: RoomRecord): void {
    // A row that was kept before handles were does not know its owner's.
    const knowsMore = record.createdByHandle !== null && this.#record.createdByHandle === null;
    if (record.revision < this.#record.revision) return;
    if (record.revision === this.#record.revision && !knowsMore) return;
    const before = this.#record;
    this.#note(record);
    // It was made, and those who are here stay who they are.
    if (before.unmade) {
      this.#updates.roomChanged();
      return;
    }
    this.#wakeForRetention(AT_ONCE);
    this.#identifyAgain(before);
    this.#locateAgain(before);
    // Who has just been muted can't end what is shown of their writing: they are refused.
    this.#drafts.endWhere((author) => {
      return refuseBySettings(record, this.reader(author), undefined, this.#deps.now()) !== undefined;
    });
    this.#updates.roomChanged();
  }

  /** What is done to the room's members. */
  get membership(): Membership {
    return this.#membership;
  }

  /** The invites into the room. */
  get invitations(): Invitations {
    return this.#invitations;
  }

  /** What is done against others here. */
  get moderation(): Moderation {
    return this.#moderation;
  }

  /** What becomes of messages that wait. */
  get decisions(): Decisions {
    return this.#decisions;
  }

  /** The rules about what is written here. */
  get rules(): Rules {
    return rulesOf(this.#record, this.#deps.lobbyRules);
  }

  /** Finds out about somebody who has come what has to be known before they write. */
  expect(participant: Participant): void {
    const looked = this.#screen.prepare(participant);
    if (looked) this.#deps.keepAlive(looked);
  }

  get #info(): RoomInfo {
    return roomInfo(this.#record, this.#submissions.agentsPaused, toldRules(this.rules));
  }

  /** Who `participant` is here. */
  reader(participant: Participant): RoomReader {
    return this.#membership.reader(participant);
  }

  /** Why `participant`, or nobody in particular, may not read here. */
  refuseReader(participant: Participant | undefined): Fault | undefined {
    const expired = participant && refuseExpired(participant, this.#deps.now());
    // There is nothing of it yet but for those for whom its site vouches.
    if (this.#record.unmade && participant && !participant.vouched) return NO_SUCH_ROOM;
    return expired ?? refuseReader(this.#record, participant && this.reader(participant));
  }

  /** What `participant` is told that they are here, as `you` has it. */
  standing(participant: Participant): { owner: boolean; role?: Role } {
    const { role } = this.reader(participant);
    return { owner: role === "owner", ...(role !== undefined && { role }) };
  }

  /** In how many ms the next reader here stops being one by themselves; `undefined`: none does. Lets go of those who have. */
  sweepReaders(): number | undefined {
    const { audience, now } = this.#deps;
    let next: number | undefined;
    // A site's user comes back with a new token.
    audience.closeAll(CLOSE.identifyAgain, "token expired", (participant) => {
      const until = participant?.vouched?.until;
      if (until !== undefined && until > now()) next = Math.min(next ?? Number.POSITIVE_INFINITY, until - now());
      return until !== undefined && until <= now();
    });
    if (this.#record.access !== "members") return next;
    audience.dismiss(NOT_A_MEMBER_ANY_MORE, CLOSE.forbidden, (participant) => {
      // All others stay what they are until somebody changes it, and then they hear of it.
      if (!participant || !isGuest(participant.sender)) return false;
      if (!mayRead(this.#record, this.reader(participant).role)) return true;
      const end = this.#roster.endOf(personOf(participant.sender));
      if (end !== undefined) next = Math.min(next ?? Number.POSITIVE_INFINITY, end - now());
      return false;
    });
    return next;
  }

  /** A site has vouched for `participant`, whom it calls `name`. */
  noteSiteUser(participant: Participant, name: string | undefined): void {
    this.#siteUsers.note(participant, name, this.#deps.now());
  }

  /** Sees to it that `participant` is let go when they stop being a reader by themselves, also while the room sleeps. */
  watchReader(participant: Participant): void {
    const { vouched, sender } = participant;
    const isInvited = this.#record.access === "members" && isGuest(sender);
    const end = vouched ? vouched.until : isInvited ? this.#roster.endOf(sender) : undefined;
    if (end !== undefined) this.#deps.wakeIn(Math.max(0, end - this.#deps.now()));
  }

  /** Whoever may be somebody else by the row of now than by that of before comes back and says who they are. */
  #identifyAgain(before: RoomRecord): void {
    const { audience } = this.#deps;
    const { access, createdBy } = this.#record;
    if (before.access !== access) {
      audience.closeAll(CLOSE.identifyAgain, "say who you are", () => true);
    } else if (before.createdBy !== createdBy) {
      const owners = [before.createdBy, createdBy];
      audience.closeAll(CLOSE.identifyAgain, "say who you are", (participant) => {
        // A site vouches only in rooms of its own owner.
        if (participant?.vouched) return true;
        return participant?.keyId !== undefined && owners.includes(participant.keyId);
      });
    }
  }

  /** The roster has changed: D1 follows, and guests who were here by an invite alone may have to go. */
  #rosterNoted(): void {
    this.sweepReaders();
    this.#deps.keepAlive(this.#rosterCopy.run());
  }

  /** Sockets from before addresses had tags come back with one when the first address is muted. */
  #locateAgain(before: RoomRecord): void {
    if (this.#record.settings.addressMutes.length <= before.settings.addressMutes.length) return;
    this.#deps.audience.closeAll(CLOSE.identifyAgain, "say who you are", (participant) => {
      return participant !== undefined && participant.behind === undefined && !participant.isOperator;
    });
  }

  /** `person` is something else here from now on: their sockets and streams, and their agents', end or begin anew. */
  #standingChanged(person: string): void {
    const { audience, keepAlive } = this.#deps;
    const isMeant = (participant: Participant | undefined): participant is Participant =>
      participant !== undefined && personOf(participant.sender) === person;
    audience.dismiss(NOT_A_MEMBER_ANY_MORE, CLOSE.forbidden, (participant) => {
      return isMeant(participant) && !mayRead(this.#record, this.reader(participant).role);
    });
    audience.closeAll(CLOSE.identifyAgain, "say who you are", isMeant);
    keepAlive(this.#rosterCopy.run());
  }

  /** Appends a message. `settle` is called once, at once or later. */
  append(
    participant: Participant,
    origin: string | undefined,
    { id, content, replyTo }: Submission,
    settle: (outcome: Outcome) => void,
  ): void {
    this.#retention.hide();
    // First of all: a stranger to the room must not learn from another refusal what is in it.
    const refusal = this.refuseReader(participant) ?? this.#refuseReply(replyTo);
    if (refusal) {
      settle(refusal);
      return;
    }
    const message = { id, kind: "text" as const, sender: participant.sender, content, ref: replyTo ?? null };
    const entry = { participant, origin, message, settle };
    if (this.#record.unmade) void this.#makeFor(entry);
    else this.#submissions.submit(entry);
  }

  /** A site's room is made by its first message, and never by one that would be refused. */
  async #makeFor(entry: Entry): Promise<void> {
    const { participant, origin, settle } = entry;
    const refusal = this.#submissions.refuse(participant, origin) ?? (await this.#make());
    if (this.#isClosed) settle(NOT_STARTED);
    else if (refusal) settle(refusal);
    else this.#submissions.submit(entry);
  }

  async #make(): Promise<Fault | undefined> {
    this.#making ??= this.#deps.makeRoom(this.#record).catch((error: unknown) => {
      console.error("A site's room can't be made", { room: this.#record.id, error });
      return NOT_STARTED;
    });
    const made = await this.#making;
    this.#making = undefined;
    if (!isFault(made) && !this.#isClosed) this.adopt(made);
    return isFault(made) ? made : undefined;
  }

  /**
   * Appends a deletion, which empties its target here at once; D1 follows with the archive, in the transaction that
   * copies the deletion, so that no crash can leave the two of different minds.
   */
  async delete(participant: Participant, seq: Seq): Promise<Outcome> {
    const outcome = await this.#delete(participant, seq);
    const author = isFault(outcome) || outcome.repeated ? undefined : outcome.author;
    if (author !== undefined && personOf(author) !== participant.sender) {
      this.#moderation.note({ by: participant.sender, deed: "delete", target: author, detail: { seq } });
    }
    return outcome;
  }

  /** The same, with the author of what is deleted. */
  async #delete(participant: Participant, seq: Seq): Promise<Fault | (Exclude<Outcome, Fault> & { author?: string })> {
    if (this.#isClosed) return NOT_STARTED;
    const refusal = this.refuseReader(participant);
    if (refusal) return refusal;
    this.#retention.hide();
    if (seq > this.#journal.head || seq < this.#journal.first) return notFound(seq);
    const here = this.#journal.get(seq);
    const settled = here && this.#settledDeletion(participant, here);
    if (settled) return settled;
    // Before D1 is asked, and before others have to hear of it.
    const tooMany = this.#refuseDeletion(participant);
    if (tooMany) return tooMany;
    let target: StoredMessage | Fault | undefined = here;
    if (!target) {
      target = await this.#find(seq);
      if (this.#isClosed) return NOT_STARTED;
      const outcome = isFault(target) ? target : target ? this.#settledDeletion(participant, target) : notFound(seq);
      if (outcome) return outcome;
    }
    const { sender } = participant;
    const message = { id: deletionId(seq), kind: "deletion" as const, sender, content: "", ref: seq };
    const outcome = await new Promise<Outcome>((settle) =>
      this.#submissions.submit({ participant, origin: undefined, message, settle }),
    );
    if (isFault(outcome)) return outcome;
    if (!this.#isClosed) this.#deps.keepAlive(this.#archive.run());
    return { ...outcome, author: (target as StoredMessage).sender };
  }

  /** Why `participant` may not have another deletion now; counts it when they may. */
  #refuseDeletion({ principal, sender }: Participant): Fault | undefined {
    return this.#deletionQuota.take(principal, this.#perMinute(sender), this.#deps.now());
  }

  /** Ends the drafts of some, and tells so. */
  #endDrafts(which: (author: Pick<Participant, "sender">) => boolean): void {
    this.#drafts.endWhere(which);
    this.#updates.watchDrafts();
  }

  /** What a deletion of `target` comes to when nothing needs to be appended: it may not be, or has been already. */
  #settledDeletion(participant: Participant, target: StoredMessage): Outcome | undefined {
    if (target.kind !== "text") return notFound(target.seq);
    if (!mayDelete(this.reader(participant), this.#membership.named(target.sender))) {
      return fault("forbidden", "Only its author and those who decide in the room may delete a message.");
    }
    const earlier = this.#journal.deletionOf(target.seq);
    return target.content === "" || earlier ? { message: earlier ?? target, repeated: true } : undefined;
  }

  /** Erases everything that `sender` has said up to now, with what their agents have. */
  async erase(participant: Participant, sender: string): Promise<ErasureProgress | Fault> {
    const progress = await this.#erasures.erase(participant, sender);
    // They may have said nothing that has a place in the log.
    if (!isFault(progress)) this.#moderation.erased(sender);
    return progress;
  }

  /** Whether D1 has everything up to `seq`, or gets it now. */
  async archived(seq: Seq): Promise<boolean> {
    try {
      return await this.#archive.reach(seq);
    } catch (error) {
      if (error instanceof Closed) return false;
      throw error;
    }
  }

  /** Appends to a draft of `participant`, which comes over `socket`, or ends it; why it may not. */
  draft(socket: Socket, participant: Participant, { id, append, whole, replyTo, end }: DraftFrame): Fault | undefined {
    const { sender, principal } = participant;
    const author = { ...participant, connection: socket };
    if (whole || end) this.#drafts.end(sender, id);
    if (end) {
      this.#updates.watchDrafts();
      return undefined;
    }
    const begins = !this.#drafts.isUnderWay(author, id);
    const now = this.#deps.now();
    const refusal =
      this.refuseReader(participant) ??
      this.#refuseReply(replyTo) ??
      this.#submissions.refuse(participant, socket.state?.origin) ??
      this.#refuseDraft(participant, id, append) ??
      // An empty draft is shown to everybody, too.
      (begins ? this.#draftQuota.take(principal, this.#perMinute(sender), now) : undefined) ??
      this.#drafts.append(author, id, append, now, replyTo);
    if (begins && !refusal) this.#deps.audience.noteDrafts(socket, this.#drafts.idsOver(socket));
    this.#updates.watchDrafts();
    return refusal;
  }

  #refuseReply(replyTo: Seq | undefined): Fault | undefined {
    if (replyTo === undefined || replyTo <= this.#journal.head) return undefined;
    return fault("invalid", "replyTo names a message that does not exist.");
  }

  /** Why others may not see this piece of a draft, which ends it. */
  #refuseDraft(author: Participant, id: string, append: string): Fault | undefined {
    const { sender } = author;
    const end = this.#drafts.endOf(sender, id, LOOKED_AT);
    const refusal = this.#screen.refuseDraft(this.reader(author), end + append);
    if (refusal) this.#drafts.end(sender, id);
    return refusal;
  }

  /** The newest `limit` messages, or those after or before a seq. What is not here any more is read from D1. */
  async page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page | Fault> {
    try {
      const page = await this.#reader.page(at, limit);
      const names = this.#siteUsers.of(page.messages.map(({ sender }) => sender));
      return { ...page, ...(names && { names }) };
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      console.error("A page needs D1, which does not answer", { room: this.#record.id, error });
      return fault("unavailable", "Older messages can't be read at the moment.", 5);
    }
  }

  /** The oldest seq that is not gone; `head + 1` when all are. */
  async first(): Promise<Seq | Fault> {
    try {
      return await this.#retention.findFirst();
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      console.error("Where a log begins needs D1, which does not answer", { room: this.#record.id, error });
      return fault("unavailable", "Older messages can't be read at the moment.", 5);
    }
  }

  /** The same as far as it is known without a question to D1: nothing below it is there. */
  get knownFirst(): Seq {
    this.#retention.hide();
    return this.#journal.first;
  }

  /** Looks at once whether old messages are to be removed. */
  lookAgain(): void {
    this.#retention.lookAgain();
    this.#wakeForRetention(AT_ONCE);
  }

  /** Whether nothing was said for so long that the room is to end. */
  get isSilent(): boolean {
    const end = silentUntil(this.#record, this.#journal.lastAt);
    return end !== undefined && end <= this.#deps.now();
  }

  /** Takes no message until the returned function is called. It can be read. */
  suspend(): () => void {
    return this.#submissions.suspend();
  }

  /** The log as readers are sent it. */
  get log(): JsonLog {
    return this.#log;
  }

  /** What the audience is told beside the log and presence. */
  get told(): Pick<ToldState, "room" | "drafts" | "draftsVersion" | "names"> {
    return {
      room: () => this.#info,
      drafts: () => this.#drafts.told(),
      draftsVersion: () => this.#drafts.version,
      names: () => this.#siteUsers,
    };
  }

  /** Somebody has come, gone or been named. */
  presenceChanged(): void {
    this.#updates.presenceChanged();
  }

  /** The last socket of `sender` has gone. */
  left(sender: string): void {
    this.#drafts.endWhere((author) => author.sender === sender);
    this.#endLostDrafts();
  }

  /**
   * Begins what goes on by itself: the archive asks to be woken when messages wait from before a restart, and the retention
   * when messages will be too old.
   */
  resume(): void {
    this.#archive.start();
    this.#wakeForRetention(SOON * Math.random());
  }

  /** What is due when the alarm rings. */
  async duties(): Promise<void> {
    // Before D1 is asked, which may be away for long.
    this.#removeHere();
    await this.#erasures.carryOut();
    if (this.#isClosed) return;
    await this.#archive.run();
    if (this.#isClosed) return;
    const { now, keepDays } = this.#deps;
    const before = goneBefore(this.#record, keepDays, now());
    if (before > 0) this.#siteUsers.forgetBefore(before, now());
    this.#updates.expireDrafts();
    this.#wakeForRetention(LATER);
    await this.#rosterCopy.run();
    if (!this.#isClosed) await this.#moderation.duties();
  }

  /** Ends this open room: it takes nothing, writes nothing and tells nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#submissions.close();
    this.#erasures.close();
    this.#updates.close();
    this.#archive.close();
    this.#rosterCopy.close();
    this.#moderation.close();
    this.#journal.close();
  }

  /** Keeps the row as it is now. */
  #note(record: RoomRecord): void {
    this.#record = record;
    this.#deps.records.save(record);
  }

  /** What can't be removed now, perhaps because the disk is full, is removed by a later alarm. */
  #removeHere(): void {
    try {
      this.#retention.removeHere();
    } catch (error) {
      console.warn("retention: old messages can't be removed here yet", { room: this.#record.id, error });
    }
  }

  /** Asks to be woken when messages are to be removed, or the room is to end, but not within `least` ms. */
  #wakeForRetention(least: number): void {
    const times = [this.#retention.due, silentUntil(this.#record, this.#journal.lastAt)];
    const next = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (next < Number.POSITIVE_INFINITY) this.#deps.wakeIn(Math.max(least, next - this.#deps.now()));
  }

  #publish(messages: readonly StoredMessage[]): void {
    if (messages.length > 0) this.#updates.publish(messages);
    else this.#updates.tell();
    this.#archive.grown();
  }

  /** The message `seq`, wherever it is; `unavailable` when only D1 has it and does not answer. */
  async #find(seq: Seq): Promise<StoredMessage | Fault | undefined> {
    try {
      return await this.#reader.message(seq);
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      console.error("An old message can't be looked up", { room: this.#record.id, seq, error });
      return fault("unavailable", "Older messages can't be reached at the moment.", 5);
    }
  }

  /** Tells that drafts have ended which the room forgot when it fell asleep. */
  #endLostDrafts(): void {
    for (const { sender, id } of this.#deps.audience.takeLostDrafts()) this.#drafts.lost(sender, id);
    this.#updates.watchDrafts();
  }

  /** How many messages `sender` may send in a minute: as many drafts may be begun, and as many messages deleted. */
  #perMinute(sender: string): number {
    const { guest, key } = this.#deps.perMinute;
    return isGuest(sender) ? guest : key;
  }
}

/** What is due already is done in so many ms when the room is told to look. */
const AT_ONCE = 1_000;
/** So much of the end of a draft is looked at with each new piece: more than a word or the name in a link has. */
const LOOKED_AT = 300;
/** What is due already when a room wakes is done within so many ms: rooms that wake together do not all ask D1 at once. */
const SOON = 20_000;
/** What a look could not bring to its end is gone on with after this, ms. */
const LATER = 60_000;

/** What D1 has of a room, without what is gone because of its age. */
function keptOf(
  record: RoomRecord,
  messages: readonly StoredMessage[],
  pairs: readonly ArchivedPair[],
  { keepDays, now }: OpenRoomDeps,
): Earlier {
  const before = goneBefore(record, keepDays, now());
  const kept = messages.filter(({ seq, at }) => seq >= record.firstSeq && at >= before);
  // Where some of the newest are gone, so is all that is older.
  const isEnd = kept.length < messages.length;
  const first = isEnd ? (kept[0]?.seq ?? Math.max(record.lastSeq, messages.at(-1)?.seq ?? 0) + 1) : record.firstSeq;
  const lastAt = messages.at(-1)?.at ?? (record.lastMessageAt === null ? 0 : Date.parse(record.lastMessageAt));
  return { messages: kept, pairs, first, lastAt };
}
/** The same words as the Worker has where D1 knows of none. */
export const NO_SUCH_ROOM = fault("not_found", "There is no such room.");
const NOT_A_MEMBER_ANY_MORE = fault("forbidden", "You are not a member of this room any more.");

const notFound = (seq: Seq): Fault => fault("not_found", `There is no message ${seq} to delete.`);

/** The id under which the deletion of `seq` stands in the log: a repeated one is recognised by it. */
export const deletionId = (seq: Seq): string => `delete:${seq}`;

/** Tells D1 that the room goes on under another epoch. */
async function announce({ id, createdAt }: RoomRecord, epoch: string, db: Database): Promise<void> {
  try {
    await announceEpoch(db, { id, createdAt }, epoch);
  } catch (error) {
    // D1 reads and does not write. That is no reason to keep anybody out: the next copy says the same.
    console.warn("D1 was not told of a room's epoch", { room: id, error });
  }
}
