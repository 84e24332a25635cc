/**
 * `node test/import/run.ts [--messages 1000000] [--rooms 500] [--kills 5] [--seed N]`: imports a large file with every kind
 * of damage, kills the import at moments of chance, and compares what came of it with what was sound. Says how long it
 * took and how much memory it held. Ends with a failure when anything is wrong.
 */

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine, wholeNumber } from "../../api/local/command-line.ts";
import { Random } from "../chaos/random.ts";
import { reaches, runImport } from "./command.ts";
import { compare, SoundMessages, unreadableRows } from "./imported.ts";
import { breakPages } from "./previous-file.ts";

const { values } = commandLine({
  options: {
    messages: { type: "string", default: "1000000" },
    rooms: { type: "string", default: "500" },
    kills: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [messages, rooms] = [wholeNumber("messages", values.messages), wholeNumber("rooms", values.rooms)];
const [kills, seed] = [wholeNumber("kills", values.kills), wholeNumber("seed", values.seed)];

const folder = mkdtempSync(join(tmpdir(), "meet-ai-import-trial-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const [file, state, report] = [join(folder, "old.sqlite"), join(folder, "state"), join(folder, "report.json")];

const sound = SoundMessages.of(file, { seed, rooms, messages, keys: 200, oneDamagedOf: 100, withWal: true });
const onBrokenPages = await breakPages(file, seed, 20);
const size = Math.round((statSync(file).size + statSync(`${file}-wal`).size) / 1e6);
console.log(`seed ${seed}: ${messages} messages in ${rooms} rooms, ${size} MB, ${onBrokenPages} rows on broken pages`);

const random = new Random(seed);
/** When it is killed: at parts of both halves, in the order in which they come. */
const marks = (["Reading", "Writing"] as const).flatMap((phase, half) => {
  const count = half === 0 ? Math.ceil(kills / 2) : Math.floor(kills / 2);
  const tenths = Array.from({ length: count }, () => random.between(1, 9)).sort((a, b) => a - b);
  return tenths.map((tenth) => ({ phase, tenth }));
});
const killed: string[] = [];
let seconds = 0;
let peak = 0;
for (;;) {
  const mark = marks[killed.length];
  const killAt = mark && reaches(mark.phase, mark.tenth);
  const begun = performance.now();
  const ended = await runImport(state, [file, "--report", report], { killAt });
  seconds += (performance.now() - begun) / 1_000;
  peak = Math.max(peak, ended.peak);
  if (ended.code === null && mark) {
    killed.push(`${mark.phase} ${mark.tenth}0 %`);
    continue;
  }
  if (ended.code !== 3) throw new Error(`The import ended with ${ended.code}: ${ended.errors}`);
  console.log(ended.output.slice(ended.output.indexOf("Read  ")));
  break;
}

const { findings, read, written } = JSON.parse(readFileSync(report, "utf8"));
const { wrong, lost } = await compare(state, sound, unreadableRows(findings));
console.log(`killed ${killed.length} times (${killed.join(", ")})`);
console.log(`${Math.round(seconds)} s in all runs, at most ${Math.round(peak / 1e6)} MB`);
console.log(
  `read ${read.messages}, of ${sound.count} sound ones ${lost} on broken pages; in the last run ${written.messages}`,
);
for (const line of wrong) console.error(line);
console.log(wrong.length === 0 ? "Everything that was sound and could be read is as it was." : "Something is wrong.");
process.exitCode = wrong.length === 0 ? 0 : 1;
