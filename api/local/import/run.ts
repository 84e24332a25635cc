/**
 * An import of the previous server's file, from its copy to its report, in two halves: all of it is read and made sound in
 * a staging file, and then written into D1. Killed anywhere, the next run of the same file goes on.
 */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Output, Progress, partOf } from "../progress.ts";
import { hasFindings, type Report, reportInWords, writeReport } from "./report.ts";
import { copySource, fingerprint } from "./source-copy.ts";
import { SourceFile } from "./source-file.ts";
import { type KnownKey, stageKeys } from "./stage-keys.ts";
import { stageMessages } from "./stage-messages.ts";
import { stageRooms } from "./stage-rooms.ts";
import { Staging } from "./staging.ts";
import type { Target } from "./target.ts";
import { BeginsAnew, writeStaged } from "./write.ts";

export interface ImportOptions {
  /** The previous server's file. It is not written to. */
  readonly file: string;
  /** Where the copy and the staging file are kept until the import is finished; a temporary folder when absent. */
  readonly folder?: string | undefined;
  readonly isDry: boolean;
  /** Where the report goes as JSON. */
  readonly report?: string | undefined;
  /** What the user calls the place where it goes. */
  readonly targetName: string;
  /** Opens it, once everything has been read. Until then nothing has been changed. */
  openTarget(staging: Staging): Promise<Target>;
  /** The keys that are there before that. */
  knownKeys(staging: Staging): Promise<readonly KnownKey[]>;
  readonly output: Output;
}

/** Imports, and says whether anything was changed or left out. Throws `Failure` with what its user can mend. */
export async function runImport(options: ImportOptions): Promise<"as it was" | "with findings"> {
  const sha256 = await fingerprint(options.file);
  const folder = openFolder(options.folder, sha256);
  let staging: Staging | undefined;
  let isOfUse = false;
  try {
    const copy = await copySource(options.file, folder, sha256);
    staging = openStaging(folder);
    await stage(staging, copy, options);
    return await writeAndReport(staging, sha256, options);
  } catch (error) {
    isOfUse = staging?.marked("stage") !== undefined && !(error instanceof BeginsAnew);
    throw error;
  } finally {
    staging?.close();
    if (!isOfUse || options.folder === undefined) removeFolder(folder, options.folder);
  }
}

/** Removes what was staged, and the folder of imports unless another file's was cut off. */
function removeFolder(folder: string, parent: string | undefined): void {
  rmSync(folder, { recursive: true, force: true });
  if (parent !== undefined && readdirSync(parent).length === 0) rmSync(parent, { recursive: true });
}

function openFolder(folder: string | undefined, sha256: string): string {
  if (folder === undefined) return mkdtempSync(join(tmpdir(), "meet-ai-import-"));
  const own = join(folder, sha256.slice(0, 16));
  mkdirSync(own, { recursive: true, mode: 0o700 });
  return own;
}

function openStaging(folder: string): Staging {
  const file = join(folder, "staging.sqlite");
  const staging = Staging.open(file);
  if (staging) return staging;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  return Staging.open(file) as Staging;
}

/** Reads what has not been read, and makes it sound. */
async function stage(staging: Staging, copy: string, { file, output, knownKeys }: ImportOptions): Promise<void> {
  const isAt = (name: string) => (staging.marked("stage") ?? "keys") === name;
  if (isAt("staged")) return;
  if (staging.marked("now") === undefined) staging.mark("now", String(Date.now()));
  const now = Number(staging.marked("now"));
  const source = new SourceFile(copy, file);
  const progress = new Progress(output);
  try {
    if (isAt("keys")) {
      const unknown = source.unknown();
      for (const table of unknown.tables) staging.add({ kind: "unknown-table", was: table });
      for (const { table, column } of unknown.columns) staging.add({ kind: "unknown-column", table, was: column });
      stageKeys(source, staging, await knownKeys(staging), now);
    }
    if (isAt("rooms")) stageRooms(source, staging, now);
    const size = source.size("messages");
    if (isAt("messages"))
      stageMessages(source, staging, now, (rowid) => progress.show(() => "Reading", partOf(rowid, size)));
    if (isAt("finish")) staging.finish(now);
  } finally {
    progress.end();
    source.close();
  }
}

async function writeAndReport(
  staging: Staging,
  sha256: string,
  { file, isDry, targetName, openTarget, report: reportFile, output }: ImportOptions,
): Promise<"as it was" | "with findings"> {
  const progress = new Progress(output);
  const target = await openTarget(staging);
  const all = staging.rooms().reduce((sum, { messages }) => sum + messages, 0);
  const written = await writeStaged({
    staging,
    target,
    epoch: `import-${sha256.slice(0, 12)}`,
    isDry,
    progress: (messages) => progress.show(() => (isDry ? "Comparing" : "Writing"), partOf(messages, all)),
  });
  progress.end();
  const count = (name: string) => Number(staging.marked(`${name} read`) ?? 0);
  const read = { keys: count("keys"), rooms: count("rooms"), messages: count("messages") };
  const report: Report = { file, target: targetName, sha256, isDry, read, written };
  if (reportFile !== undefined) await writeReport(reportFile, report, staging);
  for (const line of reportInWords(report, staging, reportFile)) output.write(`${line}\n`);
  return hasFindings(staging) ? "with findings" : "as it was";
}
