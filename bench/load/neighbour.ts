/**
 * The process of those who share a room with a well-behaved writer: one who talks at length, and those who misbehave. It
 * runs at a low priority, so that what the writer's process measures is the room and not this one.
 *
 * Started by `neighbours.ts`.
 */

import { connect, type Socket } from "node:net";
import { setPriority } from "node:os";
import { Addresses } from "./addresses.ts";
import { obey } from "./commands.ts";
import { LoadSocket, upgradeRequest } from "./socket.ts";

/** A room's socket. */
export interface Door {
  /** `http://localhost:8787` */
  readonly origin: string;
  /** What follows the origin. */
  readonly path: string;
}

/** What became of the neighbours. */
export interface Trouble {
  /** Frames that were sent. */
  readonly frames: number;
  /** Connections that the server has ended. */
  readonly closed: number;
}

export interface NeighbourCommands {
  /** One message of `bytes` every `interval` ms. Resolves when the key is known. */
  talk(door: Door, key: string, interval: number, bytes: number): Promise<void>;
  /** Messages as fast as the server takes the frames. */
  flood(door: Door, key: string): Promise<void>;
  /** Writes `messages`, and then deletes them, round and round, as fast as the server takes the frames. */
  deleteInALoop(door: Door, key: string, messages: number): Promise<void>;
  /** Opens `count` connections, all of one address, and never reads what comes over them. */
  stall(door: Door, count: number): Promise<void>;
  trouble(): Trouble;
  leave(): void;
}

/** Frames of one write, so that making them is not what takes the time. */
const FRAMES_A_WRITE = 50;
/** One who was thrown out comes back, ms. */
const BACK_AFTER = 200;

setPriority(10);

const addresses = new Addresses();
const sockets = new Set<LoadSocket | Socket>();
const timers = new Set<NodeJS.Timeout>();
let left = false;
let [frames, closed] = [0, 0];

const commands: NeighbourCommands = {
  async talk(door, key, interval, bytes) {
    const talker = await enter(door, key, {});
    let number = 0;
    timers.add(setInterval(() => talker.send([message(`talk-${number++}`, "x".repeat(bytes))]), interval));
  },

  async flood(door, key) {
    let number = 0;
    const next = (): string => message(`flood-${number++}`, "x".repeat(100));
    await pumping(door, key, next);
  },

  async deleteInALoop(door, key, messages) {
    const seqs: number[] = [];
    const own = /"seq":(\d+),"id":"delete-/g;
    const written = Promise.withResolvers<void>();
    const writer = await enter(door, key, {
      frame: (text) => {
        for (const [, seq] of text.matchAll(own)) seqs.push(Number(seq));
        if (seqs.length >= messages) written.resolve();
      },
    });
    writer.send(Array.from({ length: messages }, (_, index) => message(`delete-${index}`, "x".repeat(100))));
    await written.promise;
    writer.close();
    let turn = 0;
    await pumping(door, key, () => JSON.stringify({ type: "delete", seq: seqs[turn++ % seqs.length] }));
  },

  async stall({ origin, path }, count) {
    const url = new URL(path, origin);
    const address = addresses.next();
    const opened = Array.from({ length: count }, () => {
      const ready = Promise.withResolvers<void>();
      const socket = connect({ host: url.hostname, port: Number(url.port) });
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (!left) closed++;
        ready.resolve();
      });
      socket.once("data", () => {
        socket.pause();
        ready.resolve();
      });
      socket.write(upgradeRequest(url, address));
      return ready.promise;
    });
    await Promise.all(opened);
  },

  trouble: () => ({ frames, closed }),

  leave() {
    left = true;
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets)
      if (socket instanceof LoadSocket) socket.close();
      else socket.destroy();
    sockets.clear();
  },
};

const message = (id: string, content: string): string => JSON.stringify({ type: "send", id, content });

interface Entered {
  frame?(text: string): void;
  drain?(): void;
  close?(): void;
}

/** A socket whose key is known to the room. It reads, and answers whether it does. */
async function enter({ origin, path }: Door, key: string, handlers: Entered): Promise<LoadSocket> {
  const known = Promise.withResolvers<void>();
  const socket = new LoadSocket(
    new URL(path, origin),
    {
      open: () => socket.send([JSON.stringify({ type: "hello", key })]),
      frame: (bytes) => {
        const text = bytes.toString("latin1");
        if (text.startsWith('{"type":"you"')) known.resolve();
        if (text.startsWith('{"type":"check"')) {
          socket.send([JSON.stringify({ type: "read", n: (JSON.parse(text) as { n: number }).n })]);
        }
        handlers.frame?.(text);
      },
      drain: () => handlers.drain?.(),
      close: (how) => {
        sockets.delete(socket);
        closed++;
        known.reject(new Error(`A neighbour's connection ended with ${how}.`));
        handlers.close?.();
      },
    },
    addresses.next(),
  );
  sockets.add(socket);
  await known.promise;
  return socket;
}

/** Sends `next` for as long as the server takes it; comes back when it was thrown out. */
async function pumping(door: Door, key: string, next: () => string): Promise<void> {
  const begin = async (): Promise<void> => {
    const socket = await enter(door, key, { drain: () => pump(), close: comeBack });
    const pump = (): void => {
      do frames += FRAMES_A_WRITE;
      while (socket.send(Array.from({ length: FRAMES_A_WRITE }, next)));
    };
    pump();
  };
  const comeBack = (): void => {
    if (left) return;
    // It is not let in either: it tries again.
    timers.add(setTimeout(() => void begin().catch(() => undefined), BACK_AFTER));
  };
  await begin();
}

obey(commands);
