/** The commands by name. Each is loaded only when it is asked for, so that none waits for what another needs. */

import type { Command } from "./command.ts";

interface Entry {
  /** What it does, for the list of commands. */
  readonly does: string;
  load(): Promise<Command>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  key: { does: "make, show, rotate or revoke your key", load: () => import("./commands/key.ts") },
  rooms: { does: "list rooms", load: () => import("./commands/rooms.ts") },
  create: { does: "make a room", load: () => import("./commands/create.ts") },
  say: { does: "say something", load: () => import("./commands/say.ts") },
  tail: { does: "read what is said, as it is said", load: () => import("./commands/tail.ts") },
  ask: { does: "ask people, and wait for the answer", load: () => import("./commands/ask.ts") },
  answer: { does: "answer a question", load: () => import("./commands/answer.ts") },
  bridge: { does: "a coding agent, or any command, as a participant", load: () => import("./commands/bridge.ts") },
  who: { does: "who is in a room", load: () => import("./commands/who.ts") },
  export: { does: "a room's whole log as a file, for its owner", load: () => import("./commands/export.ts") },
};
