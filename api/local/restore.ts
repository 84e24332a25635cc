/**
 * `npm run restore -- DIR`: brings the backup in `DIR` into `STATE_DIR`, which must be new or empty; with `--remote` into
 * the empty D1 of a Cloudflare account. Ends with 0, with 1 when it failed, and with 4 when it goes on tomorrow.
 */

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { commandLine } from "./command-line.ts";
import { end } from "./end.ts";
import { failureLine } from "./failure.ts";
import { borrowFolder, takeFolder } from "./lock.ts";
import { counted, Progress, partOf, shown } from "./progress.ts";
import { ACCOUNT_ARGUMENTS, namedAccount, openDatabase } from "./remote/account.ts";
import { DayIsOver } from "./remote/d1-over-http.ts";
import { untilTomorrow } from "./remote/daily-budget.ts";
import { AccountDatabase } from "./restore/account-database.ts";
import { openBackup, type Place, restore } from "./restore/restore.ts";
import { stateFolder } from "./restore/state-folder.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: { incomplete: { type: "boolean", default: false }, ...ACCOUNT_ARGUMENTS },
});
const [name, ...others] = positionals;
if (name === undefined || others.length > 0) end("Name the folder of one backup, as in npm run restore -- ../backup");
const stateDir = stateDirFromEnvironment();

const progress = new Progress();
/** Messages of the backup, as far as they are counted. */
let all = 0;
try {
  // Before the folder of state is touched.
  await openBackup(resolve(name));
  const rowsToday = join(stateDir, "restore-remote", "rows-today");
  const place = values.remote ? await account(rowsToday) : local();
  const { keys, rooms, messages, torn } = await restore({
    folder: resolve(name),
    place,
    allowsIncomplete: values.incomplete,
    progress: (step, messages) => {
      if (step === "checked") all = messages;
      const part = step === "checked" ? undefined : partOf(messages, all);
      progress.show(() => `${step} ${shown(messages)} messages`, part);
    },
  });
  progress.end();
  rmSync(rowsToday, { force: true });
  for (const path of torn)
    console.log(`${path} was cut off while it was written: it is restored up to its last checksum.`);
  console.log(
    `Restored ${counted(keys, "key")}, ${counted(rooms, "room")} and ${shown(messages)} messages into ${place.name}`,
  );
} catch (error) {
  progress.end();
  if (!(error instanceof DayIsOver)) end(failureLine(error));
  console.error(untilTomorrow(error.message, Date.now()));
  process.exit(4);
}
process.exit(0);

function local(): Place {
  takeFolder(stateDir);
  // The runtime takes a second to load, which a refusal need not wait for.
  return stateFolder(stateDir, async (work) => (await import("./database.ts")).withDatabase(stateDir, work));
}

/** What was written today is noted in the folder of state: the next run goes by it. */
async function account(file: string): Promise<Place> {
  const named = namedAccount(values);
  const folder = dirname(file);
  borrowFolder(folder, stateDir);
  const written = {
    load: () => (existsSync(file) ? readFileSync(file, "utf8") : undefined),
    save: (text: string) => writeFileSync(file, text),
  };
  return new AccountDatabase(await openDatabase(named, written), named.database);
}
