/** What an import has done, as JSON and in words. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { counted, shown } from "../progress.ts";
import { type Finding, type FindingKind, RULES } from "./rules.ts";
import type { Staging } from "./staging.ts";
import type { Written } from "./write.ts";

export interface Report {
  /** The previous server's file. */
  readonly file: string;
  /** Where it went. */
  readonly target: string;
  readonly sha256: string;
  readonly isDry: boolean;
  /** Rows that could be read. */
  readonly read: { readonly keys: number; readonly rooms: number; readonly messages: number };
  readonly written: Written;
}

/** Findings of each kind that are shown in words. */
const SHOWN_OF_EACH = 3;

/** The report in lines for a terminal: the sums, then the first findings of each kind. `file`: where all of them are. */
export function* reportInWords(report: Report, staging: Staging, file: string | undefined): Generator<string> {
  const { read, written, isDry } = report;
  yield `Read       ${sums(read)} of ${report.file}`;
  yield `${isDry ? "Would add" : "Imported "}  ${sums(written)} ${isDry ? "to" : "into"} ${report.target}`;
  const { before } = written;
  if (before.keys + before.rooms + before.messages > 0) yield `Was there  ${sums(before)}`;
  const counts = staging.counts();
  for (const effect of ["left out", "changed"] as const) {
    const kinds = counts.filter(({ kind }) => RULES[kind].effect === effect);
    if (kinds.length === 0) continue;
    yield "";
    yield effect === "changed" ? "Changed" : "Left out";
    for (const { kind, count } of kinds) {
      yield `  ${shown(count)} × ${kind}: ${RULES[kind].words}`;
      for (const finding of staging.findings(kind, SHOWN_OF_EACH)) yield `      ${inWords(finding)}`;
      if (count > SHOWN_OF_EACH) yield `      … and ${shown(count - SHOWN_OF_EACH)} more`;
    }
  }
  yield "";
  if (counts.length === 0) yield "Nothing was changed or left out.";
  else yield file === undefined ? "With --report FILE.json each of them is written down." : `All of it is in ${file}.`;
  if (isDry) yield "Nothing was written (--dry-run).";
}

/** Writes all of it to `file` as one JSON object, with a finding a line. Replaces the file as a whole. */
export async function writeReport(file: string, report: Report, staging: Staging): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const stream = createWriteStream(unfinished, { mode: 0o600 });
  const failed = once(stream, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const write = async (text: string) => {
    if (!stream.write(text)) await Promise.race([once(stream, "drain"), failed]);
  };
  const { file: source, target, sha256, isDry, read, written } = report;
  const kinds = Object.fromEntries(staging.counts().map(({ kind, count }) => [kind, { count, ...RULES[kind] }]));
  const head = JSON.stringify({ version: 1, file: source, sha256, target, dryRun: isDry, read, written, kinds });
  await write(`${head.slice(0, -1)},"findings":[`);
  let separator = "\n";
  for (const finding of staging.findings()) {
    await write(separator + JSON.stringify(present(finding)));
    separator = ",\n";
  }
  stream.end("\n]}\n");
  await Promise.race([once(stream, "close"), failed]);
  await rename(unfinished, file);
}

const sums = ({ keys, rooms, messages }: { keys: number; rooms: number; messages: number }): string =>
  [counted(keys, "key"), counted(rooms, "room"), counted(messages, "message")].join(", ");

function inWords(finding: Finding): string {
  const { table, rowid, room, was, is, messages } = present(finding) as Partial<Record<keyof Finding, string | number>>;
  const change = [was === undefined ? undefined : JSON.stringify(was), is].filter((part) => part !== undefined);
  const parts = [
    rowid === undefined ? (room ?? table) : `${table} row ${rowid}`,
    change.join(" → "),
    messages === undefined ? "" : counted(Number(messages), "message"),
  ];
  return parts.filter((part) => part !== undefined && part !== "").join(", ");
}

/** Without what a finding does not have. */
function present(finding: Finding): Partial<Record<keyof Finding | "effect", unknown>> {
  return Object.fromEntries(Object.entries(finding).filter(([, value]) => value !== null));
}

/** Whether anything was changed or left out. */
export const hasFindings = (staging: Staging): boolean => (staging.counts() as { kind: FindingKind }[]).length > 0;
