/** Who says hello: by a key, which the person's Limiter accepts, or as a guest, whose name is made from a secret. */

import type { Limiter } from "../limits/limiter.ts";
import { repeatable } from "../object-call.ts";
import { type Fault, type HelloFrame, isFault, type Quota } from "../protocol.ts";
import type { Caller } from "../room-rpc.ts";
import { Hellos } from "./hellos.ts";
import type { Introduction } from "./introduction.ts";
import { UNKNOWN_KEY } from "./key-directory.ts";
import type { KeyOwner } from "./key-table.ts";
import { findPerson } from "./person-of-key.ts";
import { addressName } from "./principal.ts";
import { guestSender, type Participant, participantOf, sha256Hex } from "./sender.ts";

/** A key that came with the upgrade and has been looked up. */
export interface PresentedKey {
  /** The name of its person's Limiter. */
  readonly principal: string;
  /** SHA-256 in hex. */
  readonly keyHash: string;
  /** For which agent of that person. */
  readonly as?: string | undefined;
}

export class Authenticator {
  readonly #room: string;
  readonly #env: Pick<Env, "DB" | "LIMITER">;
  readonly #hellos = new Hellos();

  /** For the room with the id `room`. */
  constructor(room: string, env: Pick<Env, "DB" | "LIMITER">) {
    this.#room = room;
    this.#env = env;
  }

  /** Who says `hello` from `address`, in a deployment with this pepper for guests' names. */
  async introduce(hello: HelloFrame, address: string, guestPepper: string): Promise<Introduction | Fault> {
    if (hello.key === undefined) return this.#introduceGuest(hello.guest, address, guestPepper);
    const keyHash = await sha256Hex(hello.key);
    const principal = await findPerson(this.#env, keyHash, address);
    return isFault(principal) ? principal : this.introduceByKey({ principal, keyHash, as: hello.as });
  }

  /**
   * Who calls through the Worker, from `address`: `undefined` for nobody in particular. Every other kind of credential than
   * a key, such as a site's token, is resolved here and in `introduce`, and nowhere else.
   */
  async resolve(
    caller: Caller | undefined,
    address: string,
    guestPepper: string,
  ): Promise<Participant | Fault | undefined> {
    if (!caller) return undefined;
    if ("participant" in caller) return caller.participant;
    const introduction = await this.#introduceGuest(caller.guest, address, guestPepper);
    return isFault(introduction) ? introduction : introduction.participant;
  }

  /** Whose a presented key is, if their Limiter accepts it. */
  introduceByKey({ principal, keyHash, as }: PresentedKey): Promise<Introduction | Fault> {
    return this.#hellos.during(principal, keyHash, async (hello) => {
      const entered: { owner: KeyOwner; quota: Quota } | Fault = await repeatable(
        async () => await this.#limiter(principal).enter(this.#room, keyHash),
      );
      if (isFault(entered)) return entered;
      // The answer may be older than the end of the key.
      if (hello.isOver) return UNKNOWN_KEY;
      return { participant: participantOf(entered.owner, keyHash, as), quota: entered.quota };
    });
  }

  /** A key of `principal` has ended; without a hash, every key of theirs. */
  keyEnded(principal: string, keyHash: string | undefined): void {
    this.#hellos.end(principal, keyHash);
  }

  async #introduceGuest(secret: string, address: string, pepper: string): Promise<Introduction | Fault> {
    const sender = await guestSender(secret, pepper);
    const principal = addressName(address);
    const quota: Quota | Fault = await repeatable(async () => await this.#limiter(principal).greet(sender));
    return isFault(quota) ? quota : { participant: { sender, principal }, quota };
  }

  #limiter(name: string): DurableObjectStub<Limiter> {
    return this.#env.LIMITER.getByName(name);
  }
}
