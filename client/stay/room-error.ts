/** A refusal as an error that can be thrown: the protocol's code, and what it answers. */

import type { ErrorCode, ErrorFrame, Fault, Seq } from "../../party/protocol.ts";

/** The protocol's codes, and of an ask that was not answered: that it was in vain, or is gone. */
export type RoomErrorCode = ErrorCode | "expired" | "deleted";

/** What a refusal answers. */
export type Subject =
  | { readonly type: "hello" }
  | { readonly type: "send"; readonly id: string }
  | { readonly type: "draft"; readonly id: string }
  | { readonly type: "delete"; readonly seq: Seq };

/** What an error says beside its code and its text: see `RoomError`. */
export interface RoomErrorDetails {
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number | undefined;
  /** What was refused. */
  readonly about?: Subject | undefined;
  /** The seq of the message that has the id already, or that has closed the ask. */
  readonly seq?: Seq | undefined;
  /** The message may have arrived, or may still go out. */
  readonly pending?: boolean | undefined;
}

/** Why something was refused, or could not be done. */
export class RoomError extends Error {
  readonly code: RoomErrorCode;
  /** Seconds after which a retry makes sense, where the server says so. */
  readonly retryAfter: number | undefined;
  /** What the room refused; `undefined` where the connection itself is meant. */
  readonly about: Subject | undefined;
  /** Of a `conflict`: the seq of the message that has the id already, where it is known, or that has closed the ask. */
  readonly seq: Seq | undefined;
  /**
   * The stay ended before the room answered: the message may have arrived, or may still go out. Sent again under its id, it
   * arrives once.
   */
  readonly pending: boolean;

  constructor(
    code: RoomErrorCode,
    message: string,
    { retryAfter, about, seq, pending = false }: RoomErrorDetails = {},
  ) {
    super(message);
    this.name = "RoomError";
    this.code = code;
    this.retryAfter = retryAfter;
    this.about = about;
    this.seq = seq;
    this.pending = pending;
  }
}

/** The error for what the protocol's own parsers refuse. */
export function refusedHere({ fault, message }: Fault, about?: Subject): RoomError {
  return new RoomError(fault, message, { about });
}

/** The error for a refusal by the room. A `conflict` may name the message that came first. */
export function refusedByRoom(frame: ErrorFrame & { readonly seq?: Seq }, about?: Subject): RoomError {
  const { code, message, retryAfter, seq } = frame;
  return new RoomError(code, message, { retryAfter, about, seq });
}

/** Refusals that pass by themselves: what they refuse is worth another try. */
export function passes(code: RoomErrorCode): boolean {
  return code === "rate_limited" || code === "unavailable";
}

/** Ms until a refusal that passes may have passed. 5 s where the room does not say. */
export const passesAfter = ({ retryAfter }: { readonly retryAfter?: number | undefined }): number =>
  (retryAfter || 5) * 1000;
