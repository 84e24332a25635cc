/** What the person with the key is in a room: the server is asked once for all parts of the page that need to know. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Role } from "../../party/protocol.ts";
import type { Room } from "./api.ts";
import { getMember } from "./members/members-api.ts";
import { SessionController } from "./session.ts";

/** By room, as it was loaded, and by key: a room that is loaded anew is asked about anew. */
const known = new WeakMap<Room, Map<string, Promise<Role | undefined>>>();

export class RoleController implements ReactiveController {
  role: Role | undefined;
  readonly #host: ReactiveControllerHost & { readonly room: Room | undefined };
  readonly #session: SessionController;
  #asked: Promise<Role | undefined> | undefined;
  /** About whom and which room it was asked. */
  #about = "";

  constructor(host: ReactiveControllerHost & { readonly room: Room | undefined }) {
    this.#host = host;
    this.#session = new SessionController(host);
    host.addController(this);
  }

  /** Whether they decide over others here. */
  get moderates(): boolean {
    return this.role === "owner" || this.role === "moderator";
  }

  hostUpdate(): void {
    const { room } = this.#host;
    const inUse = this.#session.current;
    if (!room || !inUse || this.#session.owns(room)) {
      this.#asked = undefined;
      this.#about = room && inUse ? `${inUse.key} ${room.id}` : "";
      this.role = room && inUse ? "owner" : undefined;
      return;
    }
    const asked = ask(room, inUse.key, inUse.identity.handle);
    if (asked === this.#asked) return;
    this.#asked = asked;
    // What they were in the same room holds until it is known otherwise: nothing on the page comes and goes meanwhile.
    const about = `${inUse.key} ${room.id}`;
    if (about !== this.#about) this.role = undefined;
    this.#about = about;
    void asked.then((role) => {
      if (asked !== this.#asked) return;
      this.role = role;
      this.#host.requestUpdate();
    });
  }
}

function ask(room: Room, key: string, handle: string): Promise<Role | undefined> {
  const byKey = known.get(room) ?? new Map<string, Promise<Role | undefined>>();
  known.set(room, byKey);
  let asked = byKey.get(key);
  if (!asked) {
    // No member, or the server is out of reach: they see what every visitor sees.
    asked = getMember(key, room.id, handle).then(
      ({ role }) => role,
      () => undefined,
    );
    byKey.set(key, asked);
  }
  return asked;
}
