/**
 * `npm run import -- old.sqlite`: takes over the rooms, keys and messages of the previous server, which kept all of them in
 * one SQLite file. docs/import.md says what becomes of what is damaged.
 *
 * Ends with 0 when everything came as it was, with 3 when something was changed or left out, with 1 when it failed, and
 * with 4 when it goes on tomorrow.
 */

import { accessSync, constants, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { commandLine } from "./command-line.ts";
import { end } from "./end.ts";
import { Failure, failureLine } from "./failure.ts";
import { FileDatabase } from "./import/file-database.ts";
import { openAccount } from "./import/remote.ts";
import { type ImportOptions, runImport } from "./import/run.ts";
import { checkSource } from "./import/source-copy.ts";
import { databaseFile, knownKeys, LocalTarget } from "./import/target.ts";
import { importFolder } from "./import/unfinished.ts";
import { borrowFolder } from "./lock.ts";
import { applyMigrations, isMigrated } from "./migrate.ts";
import { ACCOUNT_ARGUMENTS, namedAccount } from "./remote/account.ts";
import { DayIsOver } from "./remote/d1-over-http.ts";
import { untilTomorrow } from "./remote/daily-budget.ts";
import { isBeingRestored } from "./restore/restore-mark.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    "dry-run": { type: "boolean", default: false },
    report: { type: "string" },
    ...ACCOUNT_ARGUMENTS,
  },
});
const [named, ...others] = positionals;
if (named === undefined || others.length > 0) {
  end("Name one file, the SQLite file of the previous server, as in npm run import -- ../old.sqlite");
}
const file = resolve(named);
const report = values.report === undefined ? undefined : resolve(values.report);
const isDry = values["dry-run"];
const stateDir = stateDirFromEnvironment();

try {
  // Before the folder of state is touched.
  checkSource(file);
  if (report !== undefined) checkReport(report);
  const place = values.remote ? remote() : local();
  const outcome = await runImport({ file, isDry, report, output: process.stdout, ...place });
  process.exitCode = outcome === "as it was" ? 0 : 3;
} catch (error) {
  if (!(error instanceof DayIsOver)) end(failureLine(error));
  console.error(untilTomorrow(error.message, Date.now()));
  process.exitCode = 4;
}

type Place = Pick<ImportOptions, "folder" | "targetName" | "knownKeys" | "openTarget">;

/** Into the state folder of this machine. */
function local(): Place {
  if (isBeingRestored(stateDir)) throw new Failure(`A restore into ${stateDir} was cut off: run it again first.`);
  if (!isDry) borrowFolder(stateDir);
  return {
    folder: isDry ? undefined : importFolder(stateDir),
    targetName: stateDir,
    async knownKeys() {
      const database = databaseFile(stateDir);
      return database === undefined ? [] : knownKeys(new FileDatabase(database, { readOnly: true }));
    },
    async openTarget() {
      if (!isDry && !(await isMigrated(stateDir, MIGRATIONS))) {
        // The runtime takes a second to load, and only makes the database.
        await (await import("./database.ts")).withDatabase(stateDir, async () => undefined);
      }
      const database = databaseFile(stateDir);
      if (database !== undefined) {
        const target = new LocalTarget(stateDir, database, { readOnly: isDry });
        // So that everything is in the file itself, and nothing beside it.
        process.once("exit", () => target.db.close());
        return target;
      }
      const empty = new LocalTarget(stateDir, ":memory:");
      await applyMigrations(empty.db, MIGRATIONS);
      return empty;
    },
  };
}

/** Into the D1 of a Cloudflare account. What has been read stays in the folder of state until all of it is there. */
function remote(): Place {
  const account = namedAccount(values);
  const folder = join(stateDir, "import-remote");
  if (!isDry) borrowFolder(folder, stateDir);
  return {
    folder: isDry ? undefined : folder,
    targetName: `${values.database} on Cloudflare`,
    ...openAccount(account),
  };
}

function checkReport(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`No report can be written to ${path}: that is a folder.`);
  }
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new Failure(`No report can be written to ${path}: its folder is not there, or not to be written to.`);
  }
}
