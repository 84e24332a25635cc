/**
 * A room that knows itself and has its log: all parts of it, opened together and closed together.
 *
 * What is done to a room is done here, whichever way it comes: over a socket, as a call of the Worker's, by the alarm. A
 * room that was deleted and made again is another open room; the old one writes nothing any more.
 */

import { Archive } from "./archive/archive.ts";
import { beginLog } from "./archive/begin-log.ts";
import { traceOf } from "./archive/d1-senders.ts";
import type { Stored } from "./archive/hold.ts";
import { askContent, peopleIn } from "./asks/ask.ts";
import type { Submission } from "./asks/ask-parser.ts";
import { Asks } from "./asks/asks.ts";
import { type Audience, withAgents } from "./audience/audience.ts";
import { Drafts } from "./audience/drafts.ts";
import type { ToldState } from "./audience/flow/welcomes.ts";
import type { Socket } from "./audience/socket-state.ts";
import { Updates } from "./audience/updates.ts";
import { isGuest, type Participant, personOf } from "./identity/sender.ts";
import type { Author, Leases } from "./limits/leases.ts";
import type { Admission, Question } from "./limits/limiter-rpc.ts";
import { Closed } from "./log/closed.ts";
import { Journal, type JournalDeps, type StoredMessage } from "./log/journal.ts";
import { JsonLog } from "./log/json-log.ts";
import { Reader } from "./log/reader.ts";
import type { Database } from "./log/sql.ts";
import { chosenBy } from "./log/stored-message.ts";
import { Invitations } from "./members/invitations.ts";
import { Membership } from "./members/membership.ts";
import { Readers } from "./members/readers.ts";
import { Roster } from "./members/roster.ts";
import { RosterCopy } from "./members/roster-copy.ts";
import { Decisions } from "./moderation/decisions.ts";
import { Moderation } from "./moderation/moderation.ts";
import { Newcomers } from "./moderation/newcomers.ts";
import { Pace, READ_AT_WAKE } from "./moderation/pace.ts";
import { type LobbyRules, type Rules, rulesOf, toldRules } from "./moderation/rules.ts";
import { Screen } from "./moderation/screen.ts";
import { mayOwn, refuseBySettings, refuseModerator } from "./permissions.ts";
import {
  type DraftFrame,
  errorFrame,
  type Fault,
  fault,
  isFault,
  type RoomInfo,
  type Seq,
  takesSender,
} from "./protocol.ts";
import { Reachability } from "./reachability/reachability.ts";
import type { RecordStore } from "./record-store.ts";
import { goneBefore } from "./retention/keep.ts";
import { Retention } from "./retention/retention.ts";
import { silentUntil } from "./retention/silence.ts";
import { type RoomRecord, roomInfo } from "./room-record.ts";
import {
  type AskStanding,
  type Cursor,
  type ErasureProgress,
  NOT_STARTED,
  type Page,
  type RoomState,
} from "./room-rpc.ts";
import { SiteRoomMaker } from "./sites/site-room-maker.ts";
import { SiteUsers } from "./sites/site-users.ts";
import { Deletions } from "./writes/deletions.ts";
import { Drafting } from "./writes/drafting.ts";
import type { Outcome } from "./writes/entry.ts";
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
  readonly #asks: Asks;
  readonly #deletions: Deletions;
  readonly #erasures: Erasures;
  readonly #drafts = new Drafts();
  readonly #drafting: Drafting;
  readonly #updates: Updates;
  readonly #roster: Roster;
  readonly #siteUsers: SiteUsers;
  readonly #rosterCopy: RosterCopy;
  readonly #membership: Membership;
  readonly #readers: Readers;
  readonly #invitations: Invitations;
  readonly #moderation: Moderation;
  readonly #screen: Screen;
  readonly #newcomers: Newcomers;
  readonly #decisions: Decisions;
  readonly #maker: SiteRoomMaker;
  readonly #reachability: Reachability;
  #isClosed = false;

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
    this.#readers = new Readers({
      now,
      record: () => this.#record,
      roster: this.#roster,
      membership: this.#membership,
      audience,
      wakeIn,
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
      reader: (participant) => this.#readers.of(participant),
      connected: () => audience.participants(),
      tell: (frame, which) => audience.tell(frame, which),
      keptFor: () => now() - goneBefore(this.#record, deps.keepDays, now()),
      schedule: (delay, run) => void schedule(delay, run),
      keepAlive: deps.keepAlive,
      wakeIn,
    });
    this.#newcomers = new Newcomers({
      now,
      journal,
      wroteInD1: async (person) => {
        const { id, createdAt } = this.#record;
        return (await traceOf(db, { id, createdAt }, person))?.wrote ?? false;
      },
    });
    this.#screen = new Screen({
      now,
      rules: () => this.rules,
      pace: new Pace({
        now,
        recent: () =>
          journal
            .before(journal.head + 1, READ_AT_WAKE)
            .filter(({ kind }) => kind !== "expiry" && chosenBy(kind) === undefined),
      }),
      held: this.#moderation.held,
      newcomers: this.#newcomers,
      heldOne: () => this.#moderation.heldOne(),
    });
    this.#decisions = new Decisions({
      now,
      record: () => this.#record,
      reader: (participant) => this.#readers.of(participant),
      moderation: this.#moderation,
      find: (seq) => this.#find(seq),
      place: (entry) => this.#submissions.place(entry),
      tellAuthor: (sender, refusal) => audience.tell(errorFrame(refusal), (author) => author.sender === sender),
    });
    this.#asks = new Asks({
      now,
      record: () => this.#record,
      named: (sender) => this.#membership.named(sender),
      journal,
      submit: (entry) => this.#submissions.submit(entry),
      place: (entry) => this.#submissions.place(entry),
      find: (seq) => this.#find(seq),
      findInD1: (sender, id) => this.#reader.findInD1(sender, id),
      perMinute: (sender) => this.#perMinute(sender),
      wakeIn,
    });
    this.#submissions = new Submissions({
      now,
      schedule,
      record: () => this.#record,
      reader: (participant) => this.#readers.of(participant),
      journal,
      findInD1: (sender, id) => this.#reader.findInD1(sender, id),
      audience: () => audience.size,
      leases,
      ask,
      begin: () => this.#updates.begin(),
      screen: this.#screen,
      asks: this.#asks,
      wrote: (author) => this.#moderation.wrote(author),
      publish: (messages) => this.#publish(messages),
    });
    this.#deletions = new Deletions({
      now,
      journal,
      reader: (participant) => this.#readers.of(participant),
      named: (sender) => this.#membership.named(sender),
      refuseReader: (participant) => this.#readers.refuse(participant),
      perMinute: (sender) => this.#perMinute(sender),
      find: (seq) => this.#find(seq),
      submit: (entry) => this.#submissions.submit(entry),
      deleted: () => deps.keepAlive(this.#archive.run()),
    });
    this.#erasures = new Erasures({
      record: () => this.#record,
      journal,
      archive: this.#archive,
      db,
      submit: (entry) => this.#submissions.submit(entry),
      refuse: (participant, sender) => {
        const reader = this.#readers.of(participant);
        // The owner may erase their own words, too.
        return refuseModerator(this.#record, reader, mayOwn(reader) ? undefined : this.#membership.named(sender));
      },
      refuseAnother: (participant) => (participant.isOperator ? undefined : this.#deletions.refuse(participant)),
      erased: (sender, by, seq) => {
        this.#siteUsers.forget(sender);
        this.#drafting.endWhere((author) => takesSender(sender, author.sender));
        this.#newcomers.forget(sender);
        this.#reachability.erased(sender);
        this.#moderation.erased(sender);
        this.#membership.erased(sender);
        this.#moderation.note({ by, deed: "erase", detail: { seq } });
      },
      schedule: (delay, run) => void schedule(delay, run),
      wakeIn: deps.wakeIn,
    });
    this.#reachability = new Reachability({
      now,
      connected: (sender) => audience.agents.hearing(sender),
      connectedAgents: () => audience.agents.all(),
      isListed: (sender) => audience.presence.socketsOf(sender) > 0,
      hasListeners: () => audience.presence.hasAnybody,
      load: () => deps.records.agents,
      save: (leases) => deps.records.saveAgents(leases),
      newest: (limit) => journal.before(journal.head + 1, limit),
      hearsAgain: (sender) => audience.hearsAgain(sender),
      changed: () => this.#updates.presenceChanged(),
      wakeIn,
    });
    this.#updates = new Updates({
      now,
      drafts: this.#drafts,
      audience: () => audience.size,
      takePresenceChange: () => {
        const [change, agents] = [audience.takePresenceChange(), this.#reachability.takeChange()];
        return agents ? { ...change, agents } : change;
      },
      info: () => this.#info,
      broadcast: (update) => audience.broadcast(update),
      wake: () => this.#submissions.wake(),
    });
    this.#drafting = new Drafting({
      now,
      drafts: this.#drafts,
      audience,
      screen: this.#screen,
      reader: (participant) => this.#readers.of(participant),
      refuseReader: (participant) => this.#readers.refuse(participant),
      refuseWriter: (participant, origin) => this.#submissions.refuse(participant, origin),
      refuseReply: (replyTo) => this.#refuseReply(replyTo),
      perMinute: (sender) => this.#perMinute(sender),
      changed: () => this.#updates.watchDrafts(),
    });
    this.#maker = new SiteRoomMaker({
      record: () => this.#record,
      makeRoom: deps.makeRoom,
      submissions: this.#submissions,
      made: (made) => this.adopt(made),
    });
    this.#drafting.endLost();
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
        const { now, db, storage, keepDays } = deps;
        await beginLog(record, { now, db, storage, journal, keepDays, isWanted });
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
      presence: withAgents(this.#deps.audience.presence.current(), this.#reachability.now()),
      agentsPaused: this.#submissions.agentsPaused,
      archive: {
        lag: this.#archive.lag,
        failures: this.#archive.failures,
        parked: this.#journal.parked(),
        hold: this.#archive.hold,
      },
    };
  }

  /** What the room's storage holds, in bytes. */
  get storedBytes(): number {
    return this.#deps.stored().bytes;
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
    this.#readers.rowChanged(before);
    // Who has just been muted can't end what is shown of their writing: they are refused.
    this.#drafts.endWhere((author) => {
      return refuseBySettings(record, this.#readers.of(author), undefined, this.#deps.now()) !== undefined;
    });
    this.#updates.roomChanged();
  }

  /** Who may read here, over what is open. */
  get readers(): Readers {
    return this.#readers;
  }

  /** What is done to the room's members. */
  get membership(): Membership {
    return this.#membership;
  }

  /** The invites into the room. */
  get invitations(): Invitations {
    return this.#invitations;
  }

  /** How agents hear what is said here. */
  get reachability(): Reachability {
    return this.#reachability;
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

  /** Finds out about somebody what has to be known before they write; `undefined` when all is. Never rejects. */
  expect(participant: Participant): Promise<void> | undefined {
    const looked = this.#screen.prepare(participant);
    if (looked) this.#deps.keepAlive(looked);
    return looked;
  }

  get #info(): RoomInfo {
    return roomInfo(this.#record, this.#submissions.agentsPaused, toldRules(this.rules));
  }

  /** A site has vouched for `participant`, whom it calls `name`. */
  noteSiteUser(participant: Participant, name: string | undefined): void {
    this.#siteUsers.note(participant, name, this.#deps.now());
  }

  /** `person` is something else here from now on. */
  #standingChanged(person: string): void {
    this.#readers.standingChanged(person);
    this.#reachability.end({ person });
    this.#deps.keepAlive(this.#rosterCopy.run());
  }

  /** The roster has changed: D1 follows, and guests who were here by an invite alone may have to go. */
  #rosterNoted(): void {
    this.#readers.sweep();
    this.#deps.keepAlive(this.#rosterCopy.run());
  }

  /** Appends a message. `settle` is called once, at once or later. */
  append(
    participant: Participant,
    origin: string | undefined,
    submission: Submission,
    settle: (outcome: Outcome) => void,
  ): void {
    this.#retention.hide();
    const replyTo = "answer" in submission ? undefined : submission.replyTo;
    // First of all: a stranger to the room must not learn from another refusal what is in it.
    const refusal = this.#readers.refuse(participant) ?? this.#refuseReply(replyTo);
    if (refusal) {
      settle(refusal);
      return;
    }
    if ("answer" in submission) {
      this.#asks.answer(participant, origin, submission, settle);
      return;
    }
    const { id, content } = submission;
    const said =
      "ask" in submission
        ? { kind: "ask" as const, content: askContent(content, submission.ask) }
        : { kind: "text" as const, content };
    const message = { id, ...said, sender: participant.sender, ref: replyTo ?? null };
    const entry = { participant, origin, message, settle };
    if (this.#record.unmade) void this.#maker.makeFor(entry);
    else this.#submissions.submit(entry);
  }

  /** How the ask `seq` stands. */
  async askStanding(seq: Seq): Promise<AskStanding | Fault> {
    this.#retention.hide();
    const ask = await this.#asks.stateOf(seq);
    if (isFault(ask) || this.#isClosed) return isFault(ask) ? ask : NOT_STARTED;
    const { head, epoch } = this.#journal;
    return { ask, head, epoch };
  }

  /** Deletes a message. The log of deeds has it where it was somebody else's. */
  async delete(participant: Participant, seq: Seq): Promise<Outcome> {
    this.#retention.hide();
    const outcome = await this.#deletions.delete(participant, seq);
    const author = isFault(outcome) || outcome.repeated ? undefined : outcome.author;
    if (author !== undefined && personOf(author) !== participant.sender) {
      this.#moderation.note({ by: participant.sender, deed: "delete", target: author, detail: { seq } });
    }
    return outcome;
  }

  /** Erases everything that `sender` has said up to now, with what their agents have. */
  async erase(participant: Participant, sender: string): Promise<ErasureProgress | Fault> {
    const progress = await this.#erasures.erase(participant, sender);
    // They may have said nothing that has a place in the log.
    if (isFault(progress)) return progress;
    this.#moderation.erased(sender);
    this.#membership.erased(sender);
    this.#reachability.erased(sender);
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
  draft(socket: Socket, participant: Participant, frame: DraftFrame): Fault | undefined {
    return this.#drafting.draft(socket, participant, frame);
  }

  #refuseReply(replyTo: Seq | undefined): Fault | undefined {
    if (replyTo === undefined || replyTo <= this.#journal.head) return undefined;
    return fault("invalid", "replyTo names a message that does not exist.");
  }

  /** The newest `limit` messages, or those after or before a seq. What is not here any more is read from D1. */
  async page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page | Fault> {
    try {
      const page = await this.#reader.page(at, limit);
      const names = this.#siteUsers.of(page.messages.flatMap(peopleIn));
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

  /** Settles when every message that is under way has its place, or its refusal. */
  allPlaced(): Promise<void> {
    return this.#submissions.allPlaced();
  }

  /** The log as readers are sent it. */
  get log(): JsonLog {
    return this.#log;
  }

  /** What the audience is told beside the log and presence. */
  get told(): Omit<ToldState, "presence" | "presenceVersion"> {
    return {
      room: () => this.#info,
      drafts: () => this.#drafts.told(),
      draftsVersion: () => this.#drafts.version,
      names: () => this.#siteUsers,
      agents: () => this.#reachability.told(),
      agentsVersion: () => this.#reachability.version,
    };
  }

  /** Somebody has come, gone or been named. */
  presenceChanged(): void {
    this.#updates.presenceChanged();
    this.#reachability.duties();
  }

  /** The last socket of `sender` has gone. */
  left(sender: string): void {
    this.#drafts.endWhere((author) => author.sender === sender);
    this.#drafting.endLost();
  }

  /**
   * Begins what goes on by itself: the archive asks to be woken when messages wait from before a restart, and the retention
   * when messages will be too old.
   */
  resume(): void {
    this.#archive.start();
    this.#asks.expire();
    this.#wakeForRetention(SOON * Math.random());
  }

  /** What is due when the alarm rings. */
  async duties(): Promise<void> {
    // Before D1 is asked, which may be away for long.
    this.#asks.expire();
    this.#reachability.duties();
    this.#removeHere();
    await this.#erasures.carryOut();
    if (this.#isClosed) return;
    await this.#archive.run();
    if (this.#isClosed) return;
    const { now, keepDays } = this.#deps;
    const before = goneBefore(this.#record, keepDays, now());
    if (before > 0) this.#siteUsers.forgetBefore(before, now());
    this.#updates.expireDrafts();
    this.#asks.watch();
    this.#wakeForRetention(LATER);
    await this.#rosterCopy.run();
    if (!this.#isClosed) await this.#moderation.duties();
  }

  /** Whether it has ended. Ask again after each `await`: another room may have its id by now. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends this open room: it takes nothing, writes nothing and tells nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#submissions.close();
    this.#asks.close();
    this.#maker.close();
    this.#deletions.close();
    this.#erasures.close();
    this.#updates.close();
    this.#archive.close();
    this.#rosterCopy.close();
    this.#roster.close();
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
    if (messages.some(({ kind }) => kind === "ask")) this.#asks.watch();
    if (messages.length > 0) this.#updates.publish(messages);
    else this.#updates.tell();
    this.#screen.placed(messages);
    this.#reachability.placed(messages);
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

  /** How many messages `sender` may send in a minute: as many drafts may be begun, and as many messages deleted. */
  #perMinute(sender: string): number {
    const { guest, key } = this.#deps.perMinute;
    return isGuest(sender) ? guest : key;
  }
}

/** What is due already is done in so many ms when the room is told to look. */
const AT_ONCE = 1_000;
/** What is due already when a room wakes is done within so many ms: rooms that wake together do not all ask D1 at once. */
const SOON = 20_000;
/** What a look could not bring to its end is gone on with after this, ms. */
const LATER = 60_000;
