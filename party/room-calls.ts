/**
 * What the Worker and the Limiters ask of a room, beside its sockets. A call skips the object's hooks, so each of these opens
 * the room first; and each that shows anything asks the gate first.
 */

import { Server } from "partyserver";
import type { Submission } from "./asks/ask-parser.ts";
import type { Audience } from "./audience/audience.ts";
import type { Authenticator } from "./identity/authenticator.ts";
import { UNKNOWN_KEY } from "./identity/key-directory.ts";
import { currentParticipant, guestSender, isAgent, type Participant } from "./identity/sender.ts";
import type { Leases } from "./limits/leases.ts";
import type { LeaseUses } from "./limits/limiter.ts";
import { toMessage } from "./log/stored-message.ts";
import type { InviteWish } from "./members/invitations.ts";
import { presentedInvite } from "./members/invite-secret.ts";
import type { OpenRoom } from "./open-room.ts";
import { mayModerate, NO_SUCH_ROOM, type Reader } from "./permissions.ts";
import { CLOSE, type Fault, fault, isFault, type MemberRole, type Message, type Seq } from "./protocol.ts";
import { unheardBy } from "./reachability/unheard.ts";
import type { RoomLifecycle } from "./room-lifecycle.ts";
import type { RoomRecord } from "./room-record.ts";
import {
  type AskStanding,
  type Caller,
  type Cursor,
  type Deed,
  type DeedPage,
  type ErasureProgress,
  type Held,
  type Invite,
  type LogEnd,
  type Member,
  type MemberPage,
  type MuteTargets,
  NOT_STARTED,
  type Page,
  type PresentedToken,
  type RoomGlance,
  type RoomState,
  type Sent,
} from "./room-rpc.ts";
import { siteOfSender } from "./sites/site-name.ts";
import type { Outcome } from "./writes/entry.ts";

/** Who writes through the Worker: a person whom it knows, or a site's user, whom the room has to know. */
type Author = Participant | PresentedToken;

export abstract class RoomCalls extends Server<Env> {
  protected abstract readonly lifecycle: RoomLifecycle;
  protected abstract readonly audience: Audience;
  protected abstract readonly authenticator: Authenticator;
  /** The places that the room may fill without a question. */
  protected abstract readonly leases: Leases;

  /** Appends a message; the same as a `send` frame. */
  async send(
    record: RoomRecord | undefined,
    author: Author,
    submission: Submission,
    origin: string | undefined,
    address = "unknown",
  ): Promise<Sent | Fault> {
    const writing = await this.#write(record, author, address);
    if (isFault(writing)) return writing;
    const { room, participant } = writing;
    const outcome = await new Promise<Outcome>((settle) =>
      room.appending.append(participant, origin, submission, settle),
    );
    if (isFault(outcome)) return outcome;
    const unheard = room.reachability.unheard(outcome.message);
    const message = toMessage(outcome.message);
    return { ...outcome, message, ...(unheard.length > 0 && { unheard: unheardBy(unheard) }) };
  }

  /** Deletes a message; the same as a `delete` frame. */
  async remove(
    record: RoomRecord | undefined,
    author: Author,
    seq: Seq,
    address = "unknown",
  ): Promise<Fault | undefined> {
    const writing = await this.#write(record, author, address);
    if (isFault(writing)) return writing;
    const { room, participant } = writing;
    const outcome = await room.deletions.delete(participant, seq);
    return isFault(outcome) ? outcome : undefined;
  }

  /** Erases everything that `sender` has said, with their agents. Answers after a moment, done or not. May happen twice. */
  async erase(
    record: RoomRecord | undefined,
    author: Author,
    sender: string,
    address = "unknown",
  ): Promise<ErasureProgress | Fault> {
    const writing = await this.#write(record, author, address);
    return isFault(writing) ? writing : writing.room.erasures.erase(writing.participant, sender);
  }

  /** The newest `limit` messages, or those after or before a seq. */
  async page(
    record: RoomRecord | undefined,
    at: Cursor | { before: Seq } | undefined,
    limit: number,
    caller?: Caller,
    address?: string,
  ): Promise<Page | Fault> {
    const reading = await this.#read(record, caller, address);
    if (isFault(reading)) return reading;
    if (reading.reader) reading.room.reachability.asked(reading.reader);
    const page = reading.room.pages.page(at, limit);
    return !isFault(page) && reading.room.record.settings.closed ? { ...page, closed: true } : page;
  }

  /**
   * How the ask `seq` stands, and up to where the log was read for that: who waits for an answer goes on from there.
   */
  async answerTo(
    record: RoomRecord | undefined,
    seq: Seq,
    caller?: Caller,
    address?: string,
  ): Promise<AskStanding | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.askStanding(seq);
  }

  /** The oldest seq that is not gone; `head + 1` when all are. */
  async first(record: RoomRecord | undefined): Promise<Seq | Fault> {
    const room = await this.lifecycle.open(record);
    return isFault(room) ? room : room.pages.first;
  }

  /**
   * Where the log ends. `undefined` when this object has none: then D1 knows. Opens nothing and writes nothing, so that a
   * backup may ask every room.
   */
  logEnd(): LogEnd | undefined {
    const { room } = this.lifecycle;
    if (!room) return undefined;
    const { createdAt } = room.record;
    return { createdAt, head: room.state.head, first: room.pages.first, epoch: room.log.epoch };
  }

  /** What the operator is shown of the room. Like `logEnd` it opens nothing and writes nothing. */
  glance(): RoomGlance | undefined {
    const { room } = this.lifecycle;
    if (!room) return undefined;
    const { head, lastMessageAt, presence, archive } = room.state;
    const agents = presence.people.filter(isAgent).length;
    return {
      createdAt: room.record.createdAt,
      head,
      lastMessageAt,
      bytes: room.storedBytes,
      connections: { people: presence.people.length - agents, agents, spectators: presence.spectators },
      archive: { lag: archive.lag, failures: archive.failures, refused: archive.refused.length, hold: archive.hold },
    };
  }

  /** How the room is, with its row for when D1 does not answer. */
  async look(
    record: RoomRecord | undefined,
    caller?: Caller,
    address?: string,
  ): Promise<{ record: RoomRecord; state: RoomState; decides: boolean } | Fault> {
    const reading = await this.#read(record, caller, address);
    if (isFault(reading)) return reading;
    const { room, reader } = reading;
    this.audience.sweepSometimes();
    return { record: room.record, state: room.state, decides: reader !== undefined && mayModerate(reader) };
  }

  /** Has the room look whether old messages are to be removed, or whether it is to end: nobody else may wake it. */
  async lookAgain(record: RoomRecord): Promise<void> {
    const room = await this.lifecycle.open(record);
    if (!isFault(room)) room.lookAgain();
  }

  /** A page of the members, after the sender `after`. */
  async members(
    record: RoomRecord | undefined,
    caller: Caller,
    after: string,
    limit: number,
  ): Promise<MemberPage | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.list(reading.reader, after, limit);
  }

  /** One member. */
  async member(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    address: string,
  ): Promise<Member | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.membership.find(reading.reader, sender);
  }

  /** Makes `sender` a member. */
  async putMember(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    role: MemberRole,
  ): Promise<Member | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.put(reading.reader, sender, role);
  }

  /** Makes an invite. */
  async createInvite(record: RoomRecord | undefined, caller: Caller, wish: InviteWish): Promise<Invite | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.create(reading.reader, wish);
  }

  /** All invites that were not revoked. */
  async invites(record: RoomRecord | undefined, caller: Caller): Promise<Invite[] | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.list(reading.reader);
  }

  /** Revokes an invite. */
  async revokeInvite(record: RoomRecord | undefined, caller: Caller, id: string): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.revoke(reading.reader, id);
  }

  /**
   * Makes the caller a member by an invite, perhaps in the place of the guest with the secret `before`: the one call for who
   * may not read here yet. It shows nothing but that.
   */
  async join(
    record: RoomRecord | undefined,
    caller: Caller,
    secret: string,
    address: string,
    before?: string,
  ): Promise<Member | Fault> {
    const room = await this.lifecycle.open(record);
    if (isFault(room)) return room;
    const presented = await presentedInvite(secret);
    const guest = before === undefined ? undefined : await guestSender(before, room.record.guestPepper);
    const participant = await identified(this.authenticator, room, caller, address);
    if (isFault(participant)) return participant;
    if (!participant) return SAY_WHO;
    // The Worker has looked at the key; it may have ended on the way here.
    return this.authenticator.hasEnded(participant)
      ? UNKNOWN_KEY
      : room.invitations.join(participant, presented, guest);
  }

  /** Sees to what has to be so before the room is handed to `handle`. */
  async prepareHandover(record: RoomRecord | undefined, caller: Caller, handle: string): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.prepareHandover(reading.reader, handle);
  }

  /** Lets `sender` go, who may be the caller. */
  async removeMember(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    address: string,
  ): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.membership.remove(reading.reader, sender);
  }

  /** Whether the caller may moderate here, or mute `sender`, and which addresses that takes where theirs are meant, too. */
  async muteTargets(
    record: RoomRecord | undefined,
    caller: Caller,
    address: string,
    sender: string | undefined,
    how: "name" | "address",
  ): Promise<MuteTargets | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.moderation.targets(reading.reader, sender, how);
  }

  /** The messages that wait for a moderator: all for those who moderate, and for others their own. */
  async held(record: RoomRecord | undefined, caller: Caller, address: string): Promise<Held[] | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.moderation.waiting(reading.reader);
  }

  /** Gives a held message its place in the log. May happen twice. */
  async approve(record: RoomRecord | undefined, caller: Caller, address: string, id: string): Promise<Message | Fault> {
    const reading = await this.#read(record, caller, address);
    if (isFault(reading)) return reading;
    const outcome = await reading.room.decisions.approve(reading.reader, id);
    return isFault(outcome) ? outcome : toMessage(outcome.message);
  }

  /** Refuses a held message. May happen twice. */
  async refuseHeld(
    record: RoomRecord | undefined,
    caller: Caller,
    address: string,
    id: string,
  ): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.decisions.refuse(reading.reader, id);
  }

  /** A page of who did what here, newest first, from before the deed `before`. */
  async deeds(
    record: RoomRecord | undefined,
    caller: Caller,
    address: string,
    before: number | undefined,
    limit: number,
  ): Promise<DeedPage | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.moderation.page(reading.reader, before, limit);
  }

  /** Its owner makes the room its members': holds from the answer on, before its row in D1 is changed. May happen twice. */
  async closeToStrangers(record: RoomRecord): Promise<Fault | undefined> {
    const room = await this.lifecycle.open(record);
    if (isFault(room)) return room;
    room.closeToStrangers();
    return undefined;
  }

  /** Takes over a row that was just changed, and tells everybody. `deed` is what was done by that. */
  async settle(record: RoomRecord, deed?: Deed): Promise<void> {
    const opens = record.access === "open" && deed?.detail?.settings?.includes("access");
    const known = this.lifecycle.room;
    if (opens && known?.record.createdAt === record.createdAt) known.closure.endBy(record.revision);
    const room = await this.lifecycle.open(record);
    if (!isFault(room) && deed) room.moderation.note(deed, record.revision);
  }

  /** Closes the sockets that were opened with a key of `principal` that has ended; without a hash, with any key. */
  expel(principal: string, keyHash: string | undefined): void {
    this.authenticator.keyEnded(principal, keyHash);
    this.lifecycle.room?.reachability.endWhere((agent) => agent.principal === principal);
    this.audience.closeAll(CLOSE.unauthorized, "key ended", (kept) => {
      const participant = kept && currentParticipant(kept);
      return participant?.principal === principal && (keyHash === undefined || participant.keyHash === keyHash);
    });
  }

  /** A site has the keys with these thumbprints now: closes what was opened by another one. They come back. */
  siteChanged(site: string, thumbprints: readonly string[]): void {
    this.authenticator.siteChanged(site);
    this.audience.closeAll(CLOSE.identifyAgain, "the site's keys have changed", (participant) => {
      if (!participant?.vouched || siteOfSender(participant.sender) !== site) return false;
      return !thumbprints.includes(participant.keyHash ?? "");
    });
  }

  /** Gives a lease back: what of it was used, `undefined` when this room does not know it. */
  recallLease(principal: string, lease: string): LeaseUses | undefined {
    return this.leases.recall(principal, lease, Date.now());
  }

  /** The room's row is about to go from D1. Should the deletion be cut off, the room looks by itself. */
  prepareEnd(): void {
    this.lifecycle.prepareEnd();
  }

  /** Ends the room that was made at `createdAt` (ISO 8601), whose row and messages are gone from D1. */
  async destroy(createdAt: string): Promise<void> {
    await this.lifecycle.endRoomOf(createdAt);
  }

  get #parts() {
    return { lifecycle: this.lifecycle, authenticator: this.authenticator };
  }

  /** The room, opened for somebody who may read it, and who they are in it. Every call that shows anything begins here. */
  async #read(
    record: RoomRecord | undefined,
    caller: Caller | undefined,
    address = "unknown",
  ): Promise<{ room: OpenRoom; reader: Reader | undefined } | Fault> {
    const room = await openedFor(this.#parts, record, caller, address);
    if (isFault(room)) return room;
    const participant = await identified(this.authenticator, room, caller, address);
    if (isFault(participant)) return participant;
    const refusal = room.readers.refuse(participant);
    return refusal ?? { room, reader: participant && room.readers.of(participant) };
  }

  /** The room, opened for somebody who wants to change it, and who they are. */
  async #write(
    record: RoomRecord | undefined,
    author: Author,
    address: string,
  ): Promise<{ room: OpenRoom; participant: Participant } | Fault> {
    const caller = "token" in author ? author : { participant: author };
    const room = await openedFor(this.#parts, record, caller, address);
    if (isFault(room)) return room;
    const participant = await identified(this.authenticator, room, caller, address);
    if (isFault(participant)) return participant;
    return { room, participant: participant as Participant };
  }
}

export const SAY_WHO = fault("unauthorized", "Say who you are: with a key, or as a guest.");

/** The room, opened if need be; a site's room that is not made yet only for those for whom the site vouches in it. */
export async function openedFor(
  { lifecycle, authenticator }: { readonly lifecycle: RoomLifecycle; readonly authenticator: Authenticator },
  record: RoomRecord | undefined,
  caller: Caller | undefined,
  address: string,
): Promise<OpenRoom | Fault> {
  if (!record?.unmade || lifecycle.room) return lifecycle.open(record);
  const known = await authenticator.resolve(caller, address, record);
  if (isFault(known)) return known;
  if (!known) return SAY_WHO;
  return known.participant.vouched ? lifecycle.openUnmade(record) : NO_SUCH_ROOM;
}

/** Who `caller` is. Nobody in particular is `undefined`. */
export async function identified(
  authenticator: Authenticator,
  room: OpenRoom,
  caller: Caller | undefined,
  address: string,
): Promise<Participant | Fault | undefined> {
  const known = await authenticator.resolve(caller, address, room.record);
  // It was deleted meanwhile: what this one was allowed says nothing of the room that has its id by now.
  if (room.isClosed) return NOT_STARTED;
  if (!known || isFault(known)) return known;
  room.noteSiteUser(known.participant, known.name);
  return known.participant;
}
