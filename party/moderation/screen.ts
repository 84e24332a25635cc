/**
 * What a room's rules do with a text before it has a place: it waits its turn (slow mode), is refused (blocked words), or is
 * held until a moderator has seen it. Those who decide in the room are under none of this.
 */

import { isGuest, type Participant, personOf } from "../identity/sender.ts";
import { textOf, type Unplaced } from "../log/stored-message.ts";
import { mayModerate, type Reader } from "../permissions.ts";
import { type Fault, fault, isFault, type Seq } from "../protocol.ts";
import type { HeldReason } from "../room-rpc.ts";
import { saysTheSame } from "../writes/entry.ts";
import { BlockedWords } from "./blocked-words.ts";
import type { HeldMessage, HeldMessages } from "./held-messages.ts";
import { hasLink } from "./links.ts";
import type { Pace } from "./pace.ts";
import type { Rules } from "./rules.ts";

export interface ScreenDeps {
  now(): number;
  rules(): Rules;
  readonly pace: Pace;
  readonly held: HeldMessages;
  /** Whether `sender`, or an agent of theirs, has a message in the room. */
  hasWritten(sender: string): boolean;
  /** A message has been held. */
  heldOne(): void;
}

export class Screen {
  readonly #deps: ScreenDeps;
  #blocked: { readonly words: readonly string[]; readonly found: BlockedWords } | undefined;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
  }

  /** What becomes of the repetition of a message that waits or was decided; `undefined` of any other message. */
  earlier(message: Unplaced): Fault | { readonly seq: Seq } | undefined {
    const { sender, id, kind, ref } = message;
    const held = this.#deps.held.find(sender, id);
    if (!held) return undefined;
    if (held.state === "approved") return { seq: held.seq as Seq };
    if (held.state === "refused") return REFUSED;
    if (held.kind === kind && saysTheSame(message, held) && held.ref === ref) return heldFault(held);
    return fault("conflict", `You have sent another message with the id ${id}, which waits for a moderator.`);
  }

  /** Why `author` may not write this now. Without a text: whatever it is. */
  refuse(author: Reader, content?: string): Fault | undefined {
    if (mayModerate(author)) return undefined;
    const { slow } = this.#deps.rules();
    const wait = this.#deps.pace.wait(author, slow);
    if (wait > 0) {
      return fault("rate_limited", `This room is slow: one message in ${slow} seconds. Wait ${wait} more.`, wait);
    }
    return content !== undefined && this.#words.areIn(content) ? BLOCKED : undefined;
  }

  /** Why others may not see this piece of what `author` is writing. */
  refuseDraft(author: Reader, piece: string): Fault | undefined {
    if (mayModerate(author)) return undefined;
    if (this.#words.areIn(piece)) return BLOCKED;
    return this.#reason(author, piece) === undefined ? undefined : UNSEEN;
  }

  /** Holds the message where it is to be held: what its author is told. `undefined` where it may have its place. */
  hold(author: Reader, message: Unplaced): Fault | undefined {
    const why = this.#reason(author, textOf(message));
    if (why === undefined) return undefined;
    const held = this.#deps.held.add(author, message, why, this.#deps.now());
    if (isFault(held)) return held;
    this.#deps.heldOne();
    return heldFault(held);
  }

  /** `author` has written: their clock begins anew. */
  passed(author: Participant): void {
    if (this.#deps.rules().slow > 0) this.#deps.pace.note(author);
  }

  get #words(): BlockedWords {
    const words = this.#deps.rules().blocked;
    if (this.#blocked?.words !== words) this.#blocked = { words, found: new BlockedWords(words) };
    return this.#blocked.found;
  }

  #reason(author: Reader, content: string): HeldReason | undefined {
    // Somebody who decides here has let members in.
    const isMember = author.role !== undefined && author.role !== "reader";
    if (isMember) return undefined;
    const { hold, links } = this.#deps.rules();
    if (hold === "guests" && isGuest(author.sender)) return "guest";
    if (hold === "newcomers" && !this.#deps.hasWritten(personOf(author.sender))) return "newcomer";
    return links === "members" && hasLink(content) ? "link" : undefined;
  }
}

/** What the author of a held message is told. */
const heldFault = ({ id }: Pick<HeldMessage, "id">): Fault => ({
  ...fault("held", "A moderator sees this message first; it is shown once they approve it."),
  held: id,
});

const BLOCKED = fault("forbidden", "This has a word that is blocked in this room.");
export const REFUSED = fault("forbidden", "A moderator has refused this message.");
const UNSEEN = fault("held", "Others see what you write once a moderator has approved it.");
