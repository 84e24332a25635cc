/**
 * Reconnect storms: five thousand sockets are cut in one moment, because their server is stopped or killed, and come back
 * with their cursors while people go on talking. In one room, or in fifty.
 */

import { CLOSE } from "../../party/protocol.ts";
import { Server } from "../processes/server.ts";
import { until } from "../processes/until.ts";
import { Crowd } from "./crowd.ts";
import type { Violation } from "./history.ts";
import type { Outcome, ScenarioOptions } from "./scenarios.ts";
import { Trial, type Verdict } from "./trial.ts";

const SOCKETS = 5_000;
/** What else needs files: the server's databases, and what comes and goes. */
const SPARE_FILES = 1_000;
/** Those who write in a room alone, and in one of many; and what each pauses between two messages at most, ms. */
const WRITERS = { alone: 5, ofMany: 1 };
const PACE = 5_000;
/** All are back within this, ms; and what the server may take then, more than before the first storm. */
const BACK_WITHIN = 300_000;
const MORE_MIB = 256;
/** How often memory is looked at meanwhile, ms. */
const LOOKED_EVERY = 250;

/** A storm in each of `options.faults` rounds, by turns after a stop and after a kill. */
export async function stormIn(rooms: number, options: ScenarioOptions): Promise<Outcome> {
  const files = openFilesAllowed();
  if (files < SOCKETS + SPARE_FILES) {
    return { skipped: `a process may open ${files} files here; ${SOCKETS} sockets need more: ulimit -n 8192` };
  }
  await using server = await Server.start();
  using crowd = new Crowd();
  const trials: Trial[] = [];
  try {
    const writers = rooms === 1 ? WRITERS.alone : WRITERS.ofMany;
    for (let count = 0; count < rooms; count++) {
      trials.push(await Trial.begin({ ...options, server, writers, watchers: 0, pace: PACE }));
    }
    for (const { room } of trials) crowd.join(server.port, room, SOCKETS / rooms);
    await allPresent(crowd);
    const before = server.residentBytes;
    for (let count = 1; count <= options.faults; count++) {
      await Promise.all(trials.map((trial) => trial.progress(1)));
      await storm({ server, crowd, before, how: count % 2 === 1 ? "stopped" : "killed", options });
    }
    await Promise.all(trials.map((trial) => trial.progress(1)));
    const verdicts = await Promise.all(trials.map((trial) => trial.judge()));
    const lost = await leftOut(crowd, trials, verdicts);
    return {
      ...sumOf(verdicts),
      resets: crowd.resets,
      violations: [...verdicts.flatMap((each) => each.violations), ...lost],
    };
  } finally {
    for (const trial of trials) trial.abandon();
  }
}

interface Storm {
  readonly server: Server;
  readonly crowd: Crowd;
  /** What the server had resident before any storm, bytes. */
  readonly before: number;
  readonly how: "stopped" | "killed";
  readonly options: ScenarioOptions;
}

/** Cuts all off, and waits until all are back. */
async function storm({ server, crowd, before, how, options }: Storm): Promise<void> {
  const toldBefore = crowd.endedWith(CLOSE.restarting);
  await (how === "stopped" ? server.stop() : server.kill());
  await until("all are cut off", () => crowd.present === 0);
  await server.start();
  const began = performance.now();
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, server.residentBytes);
  }, LOOKED_EVERY);
  try {
    await allPresent(crowd);
  } finally {
    clearInterval(looking);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const told = crowd.endedWith(CLOSE.restarting) - toldBefore;
  const memory = `${mebibytes(most)} MiB at most, ${mebibytes(before)} before any storm`;
  options.report(
    `${how}: ${told} told to come back (1012), all ${crowd.size} back ${seconds} s after the start; ${memory}`,
  );
  if (most - before > MORE_MIB * 2 ** 20) throw new Error(`A storm has taken ${mebibytes(most - before)} MiB more.`);
}

const allPresent = (crowd: Crowd) => until("all are there", () => crowd.present === crowd.size, BACK_WITHIN);

/** What the crowd did not get, or got wrongly, as violations of the rule for streams. */
async function leftOut(crowd: Crowd, trials: readonly Trial[], verdicts: readonly Verdict[]): Promise<Violation[]> {
  const hasAll = () => trials.every(({ room }, index) => crowd.hasAll(room, verdicts[index]?.messages ?? 0));
  const isWhole = await until("all have everything", hasAll).catch(() => false);
  const faults = isWhole ? crowd.faults : [...crowd.faults, "some of the crowd have not got everything"];
  return faults.map((detail) => ({ rule: "slice", detail }));
}

/** The figures of several rooms together. */
function sumOf(verdicts: readonly Verdict[]): Verdict {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0);
  return {
    violations: [],
    messages: sum(({ messages }) => messages),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    retried: sum(({ retried }) => retried),
    refused: sum(({ refused }) => refused),
    resumes: sum(({ resumes }) => resumes),
    resets: sum(({ resets }) => resets),
    reads: sum(({ reads }) => reads),
    surprises: verdicts.flatMap(({ surprises }) => surprises),
  };
}

/** How many files a process of this user may open, which Node raises as far as it may. */
function openFilesAllowed(): number {
  const report = process.report?.getReport() as unknown as { userLimits?: { open_files?: { soft: number | string } } };
  const soft = report?.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
