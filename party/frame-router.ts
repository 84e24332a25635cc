/** What a client's frame leads to: it is checked, parsed, kept in its client's order, and handed to the open room. */

import type { Audience } from "./audience/audience.ts";
import type { Socket } from "./audience/socket-state.ts";
import { errors } from "./errors/error-tally.ts";
import { parseClientFrame, type ReceivedFrame, type SubmittedFrame } from "./frame-parser.ts";
import type { Introduction } from "./identity/introduction.ts";
import { currentParticipant, type Participant } from "./identity/sender.ts";
import { presentedInvite } from "./members/invite-secret.ts";
import { exceedsBytes } from "./message-parser.ts";
import type { OpenRoom } from "./open-room.ts";
import { logEvent, sentenceOf } from "./operator-log/operator-log.ts";
import { refuseExpired } from "./permissions.ts";
import {
  type BadFrame,
  CLOSE,
  type DeleteFrame,
  type Fault,
  type FrameSubject,
  fault,
  type HelloFrame,
  isFault,
  LIMITS,
  PING,
} from "./protocol.ts";
import { NOT_STARTED } from "./room-rpc.ts";
import { deletionId } from "./writes/deletions.ts";

export interface FrameRouterDeps {
  readonly room: string;
  readonly audience: Audience;
  /** The room, unless it has been deleted. */
  open(): OpenRoom | undefined;
  now(): number;
  /** Who says hello over `socket`. */
  identify(socket: Socket, hello: HelloFrame): Promise<Introduction | Fault>;
}

export class FrameRouter {
  readonly #deps: FrameRouterDeps;

  constructor(deps: FrameRouterDeps) {
    this.#deps = deps;
  }

  /** Takes what a client has sent. */
  take(socket: Socket, data: string | ArrayBuffer | ArrayBufferView): void {
    // Sent before the client knew that it was closed.
    if (data === PING || !this.#deps.audience.hears(socket)) return;
    const frame = this.#parse(socket, data);
    if (!frame) return;
    // A frame is text, or it is refused above.
    const { length } = data as string;
    this.#inOrder(socket, () => this.#handle(socket, frame), { subject: subjectOf(frame), characters: length });
  }

  /** Says who a socket is from now on, once `identified` has told. */
  enter(socket: Socket, identified: () => Promise<Introduction | Fault>): void {
    this.#inOrder(socket, () => this.#introduce(socket, identified), { subject: HELLO, characters: 0 });
  }

  /** Tells a client of a failure of ours. The log has the error, under the incident that the client is told. */
  failed(socket: Socket, error: unknown, subject: FrameSubject = {}): void {
    const incident = crypto.randomUUID();
    const { room } = this.#deps;
    logEvent("frame.failed", { request: incident, room, error });
    const what = sentenceOf("frame.failed");
    errors.note({ id: incident, at: this.#deps.now(), code: "unavailable", what, place: room });
    const told = fault("unavailable", `Something went wrong here; its log entry is ${incident}.`);
    this.#deps.audience.refuse(socket, { ...subject, ...told });
    if (subject.about === HELLO.about) this.#sendAway(socket);
  }

  /** Runs the work of a frame after what the same client has sent before, and tells the client when it fails. */
  #inOrder(
    socket: Socket,
    work: () => void | Promise<void>,
    { subject, characters }: { subject: FrameSubject; characters: number },
  ): void {
    const guarded = (): void | Promise<void> => {
      try {
        return work()?.catch((error: unknown) => this.failed(socket, error, subject));
      } catch (error) {
        this.failed(socket, error, subject);
      }
    };
    if (this.#deps.audience.inOrder(socket, guarded, characters)) return;
    this.#refuse(socket, fault("rate_limited", "Too many frames before you were known.", 1), subject);
  }

  /** The frame that a client has sent; `undefined` when it is none, which the client is told. */
  #parse(socket: Socket, data: string | ArrayBuffer | ArrayBufferView): ReceivedFrame | undefined {
    const { audience } = this.#deps;
    const { frameBytes } = LIMITS;
    if (typeof data === "string" ? exceedsBytes(data, frameBytes) : data.byteLength > frameBytes) {
      audience.send(socket, { type: "error", code: "too_large", message: `A frame is at most ${frameBytes} bytes.` });
      audience.close(socket, CLOSE.tooLarge, "frame too large");
    } else if (typeof data !== "string") {
      audience.refuse(socket, fault("invalid", "A frame must be text."));
    } else {
      const frame = parseClientFrame(data);
      if (!isFault(frame)) return frame;
      this.#turnAway(socket, frame, {});
    }
    return undefined;
  }

  #handle(socket: Socket, frame: ReceivedFrame): void | Promise<void> {
    const { audience } = this.#deps;
    audience.heard(socket);
    const subject = subjectOf(frame);
    // The room has asked for it, so it is no burden.
    if (frame.type === "read" && audience.answered(socket, frame.n)) return;
    // A `send` costs a place in a quota, unless it is a retry: that shows later.
    const tooMany = frame.type === "send" ? undefined : audience.refuseFree(socket);
    if (tooMany) return this.#refuse(socket, tooMany, subject);
    if (frame.type === "read") return;
    if (frame.type === "hello") {
      return this.#introduce(socket, () => this.#deps.identify(socket, frame), frame);
    }
    const participant = socket.state?.participant && currentParticipant(socket.state.participant);
    if (!participant) return this.#refuse(socket, SAY_HELLO, subject);
    const room = this.#deps.open();
    if (!room) return this.#refuse(socket, NOT_STARTED, subject);
    if (refuseExpired(participant, this.#deps.now())) return this.#sendForToken(socket);
    if (frame.type === "send") return this.#send(socket, room, participant, frame);
    if (frame.type === "delete") return this.#delete(socket, room, participant, frame);
    const refusal = room.drafting.draft(socket, participant, frame);
    if (refusal) this.#refuse(socket, refusal, subject);
  }

  #send(socket: Socket, room: OpenRoom, participant: Participant, frame: SubmittedFrame): void {
    const { audience } = this.#deps;
    audience.awaits(socket);
    room.appending.append(participant, socket.state?.origin, frame, (outcome) => {
      // The message itself is the acknowledgement of a new one, and everybody gets that.
      if (!isFault(outcome) && !outcome.repeated) {
        const unheard = room.reachability.unheard(outcome.message);
        if (unheard.length > 0) audience.tellUnheard(socket, outcome.message, unheard);
        return;
      }
      const refusal = isFault(outcome) ? outcome : audience.refuseFree(socket);
      if (refusal) this.#turnAway(socket, refusal, subjectOf(frame));
      else if (!isFault(outcome)) audience.send(socket, { type: "ack", id: frame.id, seq: outcome.message.seq });
    });
  }

  async #delete(socket: Socket, room: OpenRoom, participant: Participant, frame: DeleteFrame): Promise<void> {
    const outcome = await room.deletions.delete(participant, frame.seq);
    if (isFault(outcome)) this.#turnAway(socket, outcome, subjectOf(frame));
    else if (outcome.repeated) {
      this.#deps.audience.send(socket, { type: "ack", id: deletionId(frame.seq), seq: outcome.message.seq });
    }
  }

  async #introduce(
    socket: Socket,
    identified: () => Promise<Introduction | Fault>,
    { invite, wakes }: Pick<HelloFrame, "invite" | "wakes"> = {},
  ): Promise<void> {
    // It was closed while this hello waited, by the answer to an earlier one perhaps: a look-up would help no client.
    if (!this.#deps.audience.has(socket)) return;
    const presented = invite === undefined ? undefined : await presentedInvite(invite);
    const introduction = await identified();
    // From here on nothing awaits: the key could end meanwhile.
    if (isFault(introduction)) return this.#turnAway(socket, introduction, HELLO);
    const { participant, quota, name } = introduction;
    const room = this.#deps.open();
    if (!room || !this.#deps.audience.has(socket)) return;
    const invited = presented && room.invitations.join(participant, presented);
    // An invite that is over is no reason to keep out those who need none.
    const closed = room.readers.refuse(participant);
    if (closed) {
      this.#turnAway(socket, isFault(invited) ? invited : closed, HELLO);
      // An invite that is used up, for one.
      this.#deps.audience.close(socket, CLOSE.forbidden, "not a member");
      return;
    }
    // Before others are told that they are here.
    room.noteSiteUser(participant, name);
    this.#deps.audience.name(socket, participant, wakes === undefined ? undefined : wakes * 1_000);
    this.#deps.audience.send(socket, {
      type: "you",
      sender: participant.sender,
      ...room.readers.standing(participant),
      quota,
    });
    room.readers.watch(participant);
    const greeting = room.moderation.greeting(participant);
    if (greeting) this.#deps.audience.send(socket, greeting);
  }

  /**
   * Tells a refusal; a client whose key or token is not valid has nothing more to say here, and is closed. Who was let in by
   * a token before comes back with a new one, and who can't be known at the moment comes back later.
   */
  #turnAway(socket: Socket, refusal: BadFrame, subject: FrameSubject): void {
    const isHello = subject.about === HELLO.about;
    const isOver = refusal.fault === "unauthorized" && !isHello && socket.state?.participant?.vouched !== undefined;
    if (isOver) {
      this.#sendForToken(socket);
      return;
    }
    this.#refuse(socket, refusal, subject);
    if (refusal.fault === "unauthorized") this.#deps.audience.close(socket, CLOSE.unauthorized, "key refused");
    if (refusal.fault === "not_found" && isHello) this.#deps.audience.close(socket, CLOSE.notFound, "no such room");
    if (refusal.fault === "forbidden" && isHello) this.#deps.audience.close(socket, CLOSE.forbidden, "not for here");
    // In a members' room who waits without a name would be taken for one who has said nothing.
    const isUnknown = refusal.fault === "rate_limited" && socket.state?.waiting !== undefined;
    if (isHello && (refusal.fault === "unavailable" || isUnknown)) this.#sendAway(socket);
  }

  /** Who somebody is can't be found out now. Their client comes back by itself. */
  #sendAway(socket: Socket): void {
    this.#deps.audience.close(socket, CLOSE.tryLater, "not now: come back");
  }

  /** A token is over. What was sent is not refused: its client sends it again, once it is back with a new one. */
  #sendForToken(socket: Socket): void {
    this.#deps.audience.close(socket, CLOSE.identifyAgain, "token over: come back with a new one");
  }

  #refuse(socket: Socket, refusal: BadFrame, subject: FrameSubject): void {
    errors.count(refusal.fault);
    this.#deps.audience.refuse(socket, { ...subject, ...refusal });
  }
}

const HELLO = { about: "hello" } as const;

/** What a refusal of `frame` answers. */
function subjectOf(frame: ReceivedFrame): FrameSubject {
  return {
    about: frame.type,
    ...("id" in frame && { id: frame.id }),
    ...(frame.type === "delete" && { seq: frame.seq }),
  };
}

const SAY_HELLO = fault("unauthorized", "Say hello first, with a key or as a guest.");
