/**
 * A room that knows itself and has its log: all parts of it, opened together and closed together, and what they have of each
 * other. Its parts do the work, whichever way it comes: over a socket, as a call of the Worker's, by the alarm.
 *
 * A room that was deleted and made again is another open room; the old one writes nothing any more.
 */

import { Copier } from "./archive/copier.ts";
import { partRows } from "./archive/parts.ts";
import { beginLog, Rebuild } from "./archive/rebuild.ts";
import { Asks } from "./asks/asks.ts";
import { withAgents } from "./audience/audience.ts";
import { Drafts } from "./audience/drafts.ts";
import type { LogView } from "./audience/flow/backlog.ts";
import type { ToldState } from "./audience/flow/welcomes.ts";
import { Updates } from "./audience/updates.ts";
import { Followers } from "./follower.ts";
import { UNKNOWN_KEY } from "./identity/key-directory.ts";
import { isGuest, type Participant } from "./identity/sender.ts";
import { Pages } from "./log/pages.ts";
import { RoomLog } from "./log/room-log.ts";
import type { StoredMessage } from "./log/stored-message.ts";
import { Closure } from "./members/closure.ts";
import type { Invitations } from "./members/invitations.ts";
import { Members } from "./members/members.ts";
import type { Membership } from "./members/membership.ts";
import type { Readers } from "./members/readers.ts";
import { Decisions } from "./moderation/decisions.ts";
import { Moderation } from "./moderation/moderation.ts";
import { roomScreen } from "./moderation/room-screen.ts";
import { type Rules, rulesOf, toldRules } from "./moderation/rules.ts";
import type { Screen } from "./moderation/screen.ts";
import type { OpenRoomDeps } from "./open-room-deps.ts";
import { logEvent } from "./operator-log/operator-log.ts";
import { mayOwn, mayRead, refuseBySettings, refuseModerator } from "./permissions.ts";
import { errorFrame, type Fault, isFault, type RoomInfo, type Seq, takesSender } from "./protocol.ts";
import { Reachability } from "./reachability/reachability.ts";
import { Retention } from "./retention/retention.ts";
import { silentUntil } from "./retention/silence.ts";
import { type RoomRecord, roomInfo } from "./room-record.ts";
import { type AskStanding, type Deed, NOT_STARTED, type RoomState } from "./room-rpc.ts";
import { SiteRoomMaker } from "./sites/site-room-maker.ts";
import { SiteUsers } from "./sites/site-users.ts";
import { Appending } from "./writes/appending.ts";
import { Deletions } from "./writes/deletions.ts";
import { Drafting } from "./writes/drafting.ts";
import type { Entry } from "./writes/entry.ts";
import { Erasures } from "./writes/erasures.ts";
import { Submissions } from "./writes/submissions.ts";

export class OpenRoom {
  readonly #deps: OpenRoomDeps;
  #record: RoomRecord;
  readonly #log: RoomLog;
  readonly #retention: Retention;
  readonly #copier: Copier;
  readonly #submissions: Submissions;
  readonly #asks: Asks;
  readonly #drafts = new Drafts();
  readonly #updates: Updates;
  readonly #siteUsers: SiteUsers;
  readonly #members: Members;
  readonly #screen: Screen;
  readonly #maker: SiteRoomMaker;
  /** The log as readers are sent it. */
  readonly log: LogView;
  /** Pages of the log. */
  readonly pages: Pages;
  /** The first step of each message into the log. */
  readonly appending: Appending;
  readonly deletions: Deletions;
  readonly erasures: Erasures;
  /** What is written here, and is no message yet. */
  readonly drafting: Drafting;
  /** What keeps strangers out until D1's row does. */
  readonly closure: Closure;
  /** Who may read here, over what is open. */
  readonly readers: Readers;
  /** What is done to the room's members. */
  readonly membership: Membership;
  /** The invites into the room. */
  readonly invitations: Invitations;
  /** What is done against others here. */
  readonly moderation: Moderation;
  /** What becomes of messages that wait. */
  readonly decisions: Decisions;
  /** How agents hear what is said here. */
  readonly reachability: Reachability;
  /** What follows behind, when the alarm rings. */
  readonly followers: Followers;
  #isClosed = false;

  private constructor(record: RoomRecord, log: RoomLog, deps: OpenRoomDeps) {
    const { now, schedule, storage, records, db, audience, keepAlive, wakeIn } = deps;
    this.#deps = deps;
    this.#record = record;
    this.#log = log;
    const { id, createdAt } = record;
    this.closure = new Closure({
      ...{ room: { id, createdAt }, records, db, now },
      changed: () => this.followers.watch(),
    });
    // What several parts ask of others, some of which are made after them.
    const current = { now, record: () => this.#record };
    const reader = (participant: Participant) => this.readers.of(participant);
    const refuseReader = (participant: Participant) =>
      deps.keyHasEnded(participant) ? UNKNOWN_KEY : this.readers.refuse(participant);
    const named = (sender: string) => this.membership.named(sender);
    const refuseMissing = (seq: Seq) => this.pages.refuseMissing(seq);
    const submit = (entry: Entry) => this.#submissions.submit(entry);
    const place = (entry: Entry & { readonly approved: true }) => this.#submissions.place(entry);
    const perMinute = (sender: string) => deps.perMinute[isGuest(sender) ? "guest" : "key"];
    const did = (deed: Deed) => this.moderation.note(deed);

    // Somebody waits for none of this: it is done when the alarm rings.
    const changed = () => this.followers.watch();
    const later = (delay: number, run: () => void) => void schedule(delay, run);
    this.#retention = new Retention({
      ...{ ...current, log, deployment: deps.keepDays },
      changed: () => this.#copier.grown(),
    });
    const hide = () => this.#retention.hide();
    this.log = logView(log, hide);
    this.#copier = new Copier({
      ...{ ...current, room: { id, createdAt }, log, db, changed },
      schedule: later,
      goneBefore: () => this.#retention.goneBefore,
      keepDays: deps.keepDays,
      part: (part) => partRows(storage, log, part),
      holds: { load: () => records.hold, save: (hold) => records.saveHold(hold) },
      stored: deps.stored,
      delay: deps.archiveDelay,
      perSecond: deps.copiesPerSecond,
      noted: (change) => this.#note({ ...this.#record, ...change }),
      gone: deps.gone,
    });
    const copyLater = () => this.#copier.grown();
    this.#siteUsers = new SiteUsers(storage);
    this.pages = new Pages({ log, hide, siteUsers: this.#siteUsers });
    this.#members = new Members({
      ...{ ...current, storage, audience, did, copyLater, wakeIn },
      siteRoleOf: (sender) => this.#siteUsers.roleOf(sender, now()),
      personExists: deps.personExists,
      changed: () => this.#endStrangers(),
    });
    this.readers = this.#members.readers;
    this.membership = this.#members.membership;
    this.invitations = this.#members.invitations;
    this.moderation = new Moderation({
      ...{ ...current, storage, named, reader, copyLater, wakeIn },
      connected: () => audience.participants(),
      tell: (frame, which) => audience.tell(frame, which),
      keptFor: () => now() - this.#retention.goneBefore,
      schedule: later,
    });
    this.#screen = roomScreen({
      ...{ ...current, log, moderation: this.moderation },
      rules: () => this.rules,
    });
    this.decisions = new Decisions({
      ...{ ...current, reader, moderation: this.moderation, log, place },
      tellAuthor: (sender, refusal) => audience.tell(errorFrame(refusal), (author) => author.sender === sender),
    });
    this.#asks = new Asks({ ...current, named, log, submit, place, refuseMissing, wakeIn });
    this.#submissions = new Submissions({
      ...{ ...current, schedule, reader, log },
      audience: () => audience.size,
      leases: deps.leases,
      ask: deps.ask,
      begin: () => {
        this.readers.endOverdue();
        this.#updates.begin();
      },
      screen: this.#screen,
      asks: this.#asks,
      wrote: (author) => this.moderation.wrote(author),
      publish: (messages) => this.#publish(messages),
    });
    this.deletions = new Deletions({
      ...{ now, log, reader, named, hide, refuseReader, refuseMissing, perMinute, submit, did },
    });
    this.erasures = new Erasures({
      ...{ ...current, log, copier: this.#copier, db, submit, changed },
      refuse: (participant, sender) => {
        const eraser = reader(participant);
        // The owner may erase their own words, too.
        return (
          refuseReader(participant) ?? refuseModerator(this.#record, eraser, mayOwn(eraser) ? undefined : named(sender))
        );
      },
      refuseAnother: (participant) => (participant.isOperator ? undefined : this.deletions.refuse(participant)),
      erased: (sender, by, seq) => {
        this.#siteUsers.forget(sender);
        this.drafting.endWhere((author) => takesSender(sender, author.sender));
        this.#forget(sender);
        did({ by, deed: "erase", detail: { seq } });
      },
      forget: (sender) => this.#forget(sender),
      schedule: later,
    });
    this.reachability = new Reachability({
      ...{ now, wakeIn },
      room: () => id,
      connected: (sender) => audience.agents.hearing(sender),
      connectedAgents: () => audience.agents.all(),
      isListed: (sender) => audience.presence.socketsOf(sender) > 0,
      hasListeners: () => audience.presence.hasAnybody,
      load: () => records.agents,
      save: (leases) => records.saveAgents(leases),
      newest: (limit) => log.before(log.head + 1, limit),
      hearsAgain: (sender) => audience.hearsAgain(sender),
      changed: () => this.#updates.presenceChanged(),
    });
    this.#updates = new Updates({
      ...{ now, drafts: this.#drafts },
      audience: () => audience.size,
      takePresenceChange: () => {
        const [change, agents] = [audience.takePresenceChange(), this.reachability.takeChange()];
        return agents ? { ...change, agents } : change;
      },
      info: () => this.#info,
      broadcast: (update) => audience.broadcast(update),
      wake: () => this.#submissions.wake(),
    });
    this.drafting = new Drafting({
      ...{ now, drafts: this.#drafts, audience, screen: this.#screen, reader, refuseReader, perMinute },
      refuseWriter: (participant, origin) => this.#submissions.refuse(participant, origin),
      refuseReply: (replyTo) => this.appending.refuseReply(replyTo),
      changed: () => this.#updates.watchDrafts(),
    });
    this.#maker = new SiteRoomMaker({
      ...{ record: current.record, submissions: this.#submissions },
      makeRoom: deps.makeRoom,
      made: (made) => this.adopt(made),
    });
    this.appending = new Appending({
      ...{ record: current.record, log, hide, refuseReader },
      submissions: this.#submissions,
      asks: this.#asks,
      maker: this.#maker,
    });
    const rebuild = new Rebuild({ ...{ room: id, log, db, now, schedule: later }, changed: copyLater });
    this.followers = new Followers([this.#copier, rebuild, this.#retention, this.erasures, this.closure], {
      ...{ room: id, now, schedule, keepAlive, wakeIn },
    });
    this.drafting.endLost();
  }

  /** The room that this object's storage knows; `undefined` when it knows none. Synchronous, and writes nothing. */
  static recall(deps: OpenRoomDeps): OpenRoom | undefined {
    const record = deps.records.load();
    const log = new RoomLog(deps.storage);
    return record && log.started ? new OpenRoom(record, log, deps) : undefined;
  }

  /**
   * Begins the room of `record`: with an empty log, or behind what D1 has when this object has lost its own. Writes
   * nothing when `isWanted` says that the room was deleted while D1 was asked.
   */
  static async begin(record: RoomRecord, deps: OpenRoomDeps, isWanted: () => boolean): Promise<OpenRoom | Fault> {
    try {
      const log = new RoomLog(deps.storage);
      if (!log.started) {
        const { now, db, storage, keepDays } = deps;
        await beginLog(record, { now, db, storage, log, keepDays, isWanted });
      }
      if (!isWanted()) return NOT_STARTED;
      deps.records.save(record);
      const room = new OpenRoom(record, log, deps);
      room.begin();
      return room;
    } catch (error) {
      logEvent("room.not_rebuilt", { room: record.id, error });
      return NOT_STARTED;
    }
  }

  get record(): RoomRecord {
    return this.#record;
  }

  /** How the room is, beyond its row. */
  get state(): RoomState {
    const { head, lastAt } = this.#log;
    return {
      head,
      lastMessageAt: lastAt === 0 ? null : new Date(lastAt).toISOString(),
      presence: withAgents(this.#deps.audience.presence.current(), this.reachability.now()),
      agentsPaused: this.#submissions.agentsPaused,
      archive: {
        lag: this.#copier.lag,
        failures: this.#copier.failures,
        refused: this.#copier.refused,
        hold: this.#copier.hold,
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
    this.#note(this.closure.over(record));
    // It was made, and those who are here stay who they are.
    if (before.unmade) {
      this.#updates.roomChanged();
      return;
    }
    this.followers.watch();
    this.#watchSilence();
    this.#accessChanged(before);
    // Who has just been muted can't end what is shown of their writing: they are refused.
    this.#drafts.endWhere((author) => {
      return refuseBySettings(record, this.readers.of(author), undefined, this.#deps.now()) !== undefined;
    });
    this.#updates.roomChanged();
  }

  /** Its owner makes the room its members': from now on, and whatever becomes of its row in D1. May happen twice. */
  closeToStrangers(): void {
    const before = this.#record;
    if (before.access === "members") return;
    this.closure.begin(before.revision);
    this.#note(this.closure.over(before));
    this.#accessChanged(before);
    this.#updates.roomChanged();
  }

  #accessChanged(before: RoomRecord): void {
    this.readers.rowChanged(before);
    this.#endStrangers();
  }

  /** The rules about what is written here. */
  get rules(): Rules {
    return rulesOf(this.#record, this.#deps.lobbyRules);
  }

  get #info(): RoomInfo {
    return roomInfo(this.#record, this.#submissions.agentsPaused, toldRules(this.rules));
  }

  /** A site has vouched for `participant`, whom it calls `name`. */
  noteSiteUser(participant: Participant, name: string | undefined): void {
    this.#siteUsers.note(participant, name, this.#deps.now());
  }

  /** How the ask `seq` stands. */
  async askStanding(seq: Seq): Promise<AskStanding | Fault> {
    this.#retention.hide();
    const ask = await this.#asks.stateOf(seq);
    if (isFault(ask) || this.#isClosed) return isFault(ask) ? ask : NOT_STARTED;
    const { head, epoch } = this.#log;
    return { ask, head, epoch };
  }

  /** Begins what goes on by itself. */
  begin(): void {
    this.#asks.expire();
    this.followers.watch();
    this.#watchSilence();
  }

  /** What has its time: done when the alarm rings, before anything that waits for others. */
  keepDeadlines(): void {
    const { now } = this.#deps;
    const { goneBefore } = this.#retention;
    for (const keep of [
      () => this.#asks.expire(),
      () => this.reachability.duties(),
      () => this.#updates.expireDrafts(),
      () => this.moderation.sweep(),
      () => goneBefore > 0 && this.#siteUsers.forgetBefore(goneBefore, now()),
      () => this.#watchSilence(),
    ]) {
      try {
        keep();
      } catch (error) {
        // A full disk keeps no other deadline from being kept.
        logEvent("room.deadline_missed", { room: this.#record.id, error });
      }
    }
  }

  /** Looks at once whether old messages are to be removed. */
  lookAgain(): void {
    this.#retention.lookAgain();
    this.followers.watch();
    this.#watchSilence();
  }

  /** Whether nothing was said for so long that the room is to end. */
  get isSilent(): boolean {
    const end = silentUntil(this.#record, this.#log.lastAt);
    return end !== undefined && end <= this.#deps.now();
  }

  #watchSilence(): void {
    const end = silentUntil(this.#record, this.#log.lastAt);
    if (end !== undefined) this.#deps.wakeIn(Math.max(0, end - this.#deps.now()));
  }

  /** Takes no message until the returned function is called. It can be read. */
  suspend(): () => void {
    return this.#submissions.suspend();
  }

  /** Settles when every message that is under way now has its place, or its refusal. */
  allPlaced(): Promise<void> {
    return this.#submissions.allPlaced();
  }

  /** What the audience is told beside the log and presence. */
  get told(): Omit<ToldState, "presence" | "presenceVersion"> {
    return {
      room: () => this.#info,
      drafts: () => this.#drafts.told(),
      draftsVersion: () => this.#drafts.version,
      names: () => this.#siteUsers,
      agents: () => this.reachability.told(),
      agentsVersion: () => this.reachability.version,
    };
  }

  /** Somebody has come, gone or been named. */
  presenceChanged(): void {
    this.#updates.presenceChanged();
    this.reachability.duties();
  }

  /** The last socket of `sender` has gone. */
  left(sender: string): void {
    this.#drafts.endWhere((author) => author.sender === sender);
    this.drafting.endLost();
  }

  /** Whether it has ended. Ask again after each `await`: another room may have its id by now. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends this open room: it takes nothing, writes nothing and tells nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.followers.close();
    this.#submissions.close();
    this.#asks.close();
    this.#maker.close();
    this.deletions.close();
    this.erasures.close();
    this.#updates.close();
    this.#copier.close();
    this.#members.close();
    this.moderation.close();
    this.#log.close();
  }

  /** Keeps the row as it is now. */
  #note(record: RoomRecord): void {
    this.#record = record;
    this.#deps.records.save(record);
  }

  /** An agent whose person may not read here hears nothing: its lease ends. */
  #endStrangers(): void {
    this.reachability.endWhere(({ sender }) => !mayRead(this.#record, this.membership.named(sender).role));
  }

  /** Lets go of what is known of `sender` beside the log. */
  #forget(sender: string): void {
    this.reachability.erased(sender);
    this.moderation.erased(sender);
    this.membership.erased(sender);
  }

  #publish(messages: readonly StoredMessage[]): void {
    if (messages.some(({ kind }) => kind === "ask")) this.#asks.watch();
    if (messages.length > 0) this.#updates.publish(messages);
    else this.#updates.tell();
    this.reachability.placed(messages);
    this.#copier.grown();
  }
}

/** The log as the audience is sent it. What is too old is hidden before anything is read. */
function logView(log: RoomLog, hide: () => void): LogView {
  return {
    get epoch() {
      return log.epoch;
    },
    get head() {
      return log.head;
    },
    get oldest() {
      hide();
      return log.oldest;
    },
    get newestErasure() {
      return log.newestErasure;
    },
    get newestErased() {
      return log.newestErased;
    },
    jsonAfter: (seq, limit) => {
      hide();
      return log.jsonAfter(seq, limit);
    },
    jsonBefore: (seq, limit) => {
      hide();
      return log.jsonBefore(seq, limit);
    },
  };
}
