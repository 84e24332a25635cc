/** The ways in which a trial is broken: each a story that begins with a healthy room and ends with a verdict. */

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { Server, WRITING } from "../processes/server.ts";
import { until } from "../processes/until.ts";
import { ClockWitness, ROOMS_A_DAY } from "./clock-witness.ts";
import { FalseClock } from "./false-clock.ts";
import { type Link, TcpProxy } from "./proxy.ts";
import type { Random } from "./random.ts";
import { RotatingPerson } from "./rotating-person.ts";
import { StalledReader } from "./stalled-reader.ts";
import { stormIn } from "./storm.ts";
import { Trial, type Verdict } from "./trial.ts";

export interface ScenarioOptions {
  readonly random: Random;
  /** How often it is broken. */
  readonly faults: number;
  readonly writers: number;
  readonly watchers: number;
  /** Hears of each fault. */
  report(line: string): void;
}

/** A verdict, or why there is none on this machine. */
export type Outcome = Verdict | { readonly skipped: string };

type Scenario = (options: ScenarioOptions) => Promise<Outcome>;

/** Longer than the runtime keeps an object that nobody speaks to, ms. */
const UNTIL_HIBERNATION = 12_000;
/** Failures of the archive in a row after which it has begun to suspect single messages. */
const FAILURES_OF_AN_OUTAGE = 4;
/** So many of the newest messages a room recognises at least. */
const REMEMBERED = 4_096;
const RESTARTS_OF_AN_OUTAGE = 3;
/** In seconds. */
const HOUR = 3_600;
const ROTATING_PEOPLE = 30;
const STALLED_READERS = 200;
/** What so many stalled readers may take: their windows, and what the runtime needs for each connection. */
const STALLED_MIB = 192;
/** Room for a server's files and a few thousand messages. */
const SMALL_DISK = "48m";

/** All processes are killed at once, in the midst of everything, and started again. */
const kill: Scenario = async (options) => {
  await using server = await Server.start();
  return await runTrial({ server, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(options.random.between(1, 120));
      await server.kill();
      options.report(`kill ${count} of ${options.faults}, ${trial.acknowledged} acknowledged`);
      await server.start();
    }
  });
};

/** D1 takes no writes for longer than the archive is patient; people go on talking, and somebody new comes. */
const d1: Scenario = async (options) => {
  await using server = await Server.start();
  return await runTrial({ server, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(50);
      const lock = new DatabaseSync(server.databaseFile, WRITING);
      lock.exec("BEGIN IMMEDIATE");
      const before = server.archivedCount(trial.room);
      await trial.progress(200);
      const newcomer = trial.join(`newcomer-${count}`);
      await until("somebody new is let in while D1 is away", () => newcomer.isReady);
      const outage = new RegExp(`"failures":${FAILURES_OF_AN_OUTAGE}\\b`);
      await until("the archive has tried for a while", () => outage.test(server.output));
      if (server.archivedCount(trial.room) !== before) throw new Error("D1 was not away: the lock does not lock.");
      options.report(`outage ${count} of ${options.faults}, ${trial.acknowledged} acknowledged`);
      lock.exec("ROLLBACK");
      lock.close();
      if (count % 2 === 0) await restart(server);
    }
  });
};

/**
 * D1 takes no writes for longer than the room remembers ids, and the server dies meanwhile again and again. Then everybody
 * repeats which of the newest messages are theirs: none of them is stored twice.
 */
const outage: Scenario = async (options) => {
  await using server = await Server.start();
  return await runTrial({ server, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(300);
      await until("D1 has the first of them", () => server.archivedCount(trial.room) > 0);
      const lock = new DatabaseSync(server.databaseFile, WRITING);
      lock.exec("BEGIN IMMEDIATE");
      for (let part = 1; part <= RESTARTS_OF_AN_OUTAGE; part++) {
        await trial.progress(Math.ceil((REMEMBERED + 1_000) / RESTARTS_OF_AN_OUTAGE));
        await server.kill();
        await server.start();
        options.report(`outage ${count} of ${options.faults}, kill ${part}, ${trial.acknowledged} acknowledged`);
      }
      await trial.repeatNewest(REMEMBERED);
      lock.exec("ROLLBACK");
      lock.close();
      const before = trial.acknowledged;
      await until("D1 has what was said meanwhile", () => server.archivedCount(trial.room) >= before);
      await server.kill();
      await server.start();
      await trial.repeatNewest(REMEMBERED);
    }
  });
};

/** People change their keys while their connections are cut and the server is killed: nobody is left without a valid key. */
const rotate: Scenario = async (options) => {
  await using server = await Server.start({ vars: { ROTATIONS_PER_DAY: "1000000" } });
  return await runTrial({ server, ...options }, async (trial) => {
    const people = await Promise.all(
      Array.from({ length: ROTATING_PEOPLE }, () => RotatingPerson.begin(server, options.random)),
    );
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(options.random.between(5, 60));
      await server.kill();
      await server.start();
      const changes = people.reduce((sum, person) => sum + person.changes, 0);
      options.report(`kill ${count} of ${options.faults}, ${changes} changes of a key answered`);
    }
    const wrong = (await Promise.all(people.map((person) => person.end()))).filter((each) => each !== undefined);
    if (wrong.length > 0)
      throw new Error(`Of ${people.length} people ${wrong.length} have lost their key:\n${wrong.join("\n")}`);
  });
};

/** Readers that never read come by the hundred, and go by surprise; everybody else goes on, and memory stays bounded. */
const stalled: Scenario = async (options) => {
  await using server = await Server.start();
  return await runTrial({ server, ...options }, async (trial) => {
    await trial.progress(100);
    const before = server.residentBytes;
    for (let count = 1; count <= options.faults; count++) {
      using stack = new DisposableStack();
      for (let index = 0; index < STALLED_READERS; index++) {
        const as = index % 4 === 0 ? "events" : "socket";
        const path = `/api/rooms/${trial.room}/${as === "socket" ? "ws" : "events"}`;
        stack.use(await StalledReader.open(server.port, path, as));
      }
      await trial.progress(500);
      const grown = (server.residentBytes - before) / 2 ** 20;
      options.report(
        `crowd ${count} of ${options.faults}, ${trial.acknowledged} acknowledged, ${Math.round(grown)} MiB more`,
      );
      if (grown > STALLED_MIB)
        throw new Error(`${STALLED_READERS} readers that never read took ${Math.round(grown)} MiB.`);
    }
  });
};

/** The disk is full, for the room and for D1, and has space again later; every second time the server dies of it. */
const disk: Scenario = async (options) => {
  const mountPoint = mkdtempSync(join(tmpdir(), "meet-ai-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK}`, "tmpfs", mountPoint], { stdio: "pipe" });
  } catch (error) {
    rmSync(mountPoint, { recursive: true });
    return { skipped: `a small disk can't be mounted here: ${(error as Error).message.trim().split("\n").at(-1)}` };
  }
  try {
    await using server = await Server.start({ stateDir: join(mountPoint, "state") });
    return await runTrial({ server, ...options }, async (trial) => {
      for (let count = 1; count <= options.faults; count++) {
        await trial.progress(50);
        const ballast = join(mountPoint, "ballast");
        const before = trial.refused + trial.losses;
        fill(ballast);
        await until("the writers feel it", () => trial.refused + trial.losses >= before + options.writers);
        options.report(
          `full disk ${count} of ${options.faults}, ${trial.acknowledged} acknowledged, ${trial.refused} refused`,
        );
        if (count % 2 === 0) await server.kill();
        rmSync(ballast);
        if (count % 2 === 0) await server.start();
      }
    });
  } finally {
    execFileSync("umount", ["--lazy", mountPoint]);
    rmSync(mountPoint, { recursive: true, force: true });
  }
};

/** The room is put to sleep with its sockets open, and by turns ended in good order and started again. */
const evict: Scenario = async (options) => {
  await using server = await Server.start();
  return await runTrial({ server, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(options.random.between(20, 80));
      if (count % 2 === 1) await trial.inSilence(() => pause(UNTIL_HIBERNATION));
      else await restart(server);
      options.report(`eviction ${count} of ${options.faults}, ${trial.acknowledged} acknowledged`);
    }
  });
};

const LINK_FAULTS: readonly (readonly [name: string, apply: (link: Link) => void])[] = [
  ["cut", (link) => link.cut()],
  ["stall", (link) => link.stall()],
  ["half-close towards the client", (link) => link.halfClose("client")],
  ["half-close towards the server", (link) => link.halfClose("target")],
  ["drip", (link) => link.drip()],
];

/** Connections are cut, stalled, half-closed and slowed to a drip, one here and one there, while the server is well. */
const proxy: Scenario = async (options) => {
  await using server = await Server.start();
  await using between = await TcpProxy.start(server.port);
  return await runTrial({ server, port: between.port, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      await trial.progress(options.random.between(2, 20));
      await until("there is a connection to break", () => between.links.length > 0);
      const [name, apply] = options.random.pick(LINK_FAULTS);
      apply(options.random.pick(between.links));
      if (count % 10 === 0)
        options.report(`${name}, ${count} of ${options.faults}, ${trial.acknowledged} acknowledged`);
    }
    for (const link of between.links) link.flow();
  });
};

/**
 * The server's clock is set hours ahead, back to the right time, hours behind and to the right time again, while people go on
 * talking. After each jump D1 gets everything, and what goes by the clock is as documented.
 */
const clock: Scenario = async (options) => {
  const made = FalseClock.make();
  if ("skipped" in made) return made;
  using time = made;
  const vars = { ...time.environment, ROOMS_PER_DAY: String(ROOMS_A_DAY) };
  await using server = await Server.start({ vars });
  return await runTrial({ server, ...options }, async (trial) => {
    for (let count = 1; count <= options.faults; count++) {
      const [ahead, behind] = [HOUR * options.random.between(2, 30), -HOUR * options.random.between(1, 30)];
      for (const seconds of [ahead, 0, behind, 0]) {
        await trial.progress(options.random.between(20, 120));
        await time.set(seconds);
        await trial.progress(20);
        const { acknowledged } = trial;
        await until("D1 has what was said before", () => server.archivedCount(trial.room) >= acknowledged);
      }
      const witness = await ClockWitness.begin(server, time);
      const wrong = await witness.watch(ahead);
      if (wrong.length > 0) throw new Error(`The clock was set ${ahead / HOUR} h ahead and back: ${wrong.join("; ")}.`);
      options.report(
        `${count} of ${options.faults}: ${ahead / HOUR} h ahead, ${-behind / HOUR} h behind, ${trial.acknowledged} acknowledged`,
      );
    }
  });
};

/** Five thousand sockets of one room are cut at once and come back; then the same over fifty rooms. */
const storm: Scenario = (options) => stormIn(1, options);
const storms: Scenario = (options) => stormIn(50, options);

export const SCENARIOS = { kill, d1, outage, rotate, stalled, disk, evict, proxy, clock, storm, storms } as const;

export type ScenarioName = keyof typeof SCENARIOS;

type TrialPlace = ScenarioOptions & { readonly server: Server; readonly port?: number };

/** Begins a trial, breaks it with `breakIt`, lets it recover and judges it. */
async function runTrial(place: TrialPlace, breakIt: (trial: Trial) => Promise<void>): Promise<Verdict> {
  const trial = await Trial.begin(place);
  try {
    await breakIt(trial);
    await trial.progress(50);
    return await trial.judge();
  } finally {
    trial.abandon();
  }
}

async function restart(server: Server): Promise<void> {
  await server.stop();
  await server.start();
}

/** Writes to `file` until the disk is full. */
function fill(file: string): void {
  const descriptor = openSync(file, "w");
  try {
    for (let size = 1024 * 1024; size >= 512; ) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        size /= 2;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
