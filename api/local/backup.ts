/**
 * `npm run backup -- DIR [--server URL]`: brings the backup in `DIR` up to date.
 *
 * Without `--server` it is the server of `STATE_DIR`: the one that runs, or, when none does, one that is started for the
 * backup alone and that serves nobody else. So a backup is always read through the rooms, which know best.
 */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type BackupReport, backUp, openBackupFolder } from "./backup/backup.ts";
import { OperatorClient } from "./backup/operator-client.ts";
import { commandLine } from "./command-line.ts";
import { end } from "./end.ts";
import { Failure, failureLine } from "./failure.ts";
import { serverOf, serverUrlFile, takeBackupFolder } from "./lock.ts";
import { readOperatorSecret } from "./operator-secret.ts";
import { counted, Progress, shown } from "./progress.ts";
import { type LocalServer, startServer } from "./server.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: { server: { type: "string" }, "no-build": { type: "boolean", default: false } },
});
const [name, ...others] = positionals;
if (name === undefined || others.length > 0) end("Name one folder for the backup, as in npm run backup -- ../backup");
const folder = resolve(name);
const stateDir = stateDirFromEnvironment();

const progress = new Progress();
let started: LocalServer | undefined;
try {
  const target = runningServer();
  await openBackupFolder(folder);
  takeBackupFolder(folder);
  if (!target) started = await startForBackup();
  const address = target ?? (started as LocalServer).url;
  const server = new OperatorClient(address, secret(address));
  const report = await backUp({ folder, server, progress: (report) => progress.show(() => lineOf(report)) });
  progress.end();
  console.log(`${lineOf(report)}, in ${folder}`);
} catch (error) {
  progress.end();
  const line = failureLine(error);
  await started?.stop();
  end(line);
}
await started?.stop();
process.exit(0);

/** The server that is named or runs; `undefined` when one has to be started. */
function runningServer(): URL | undefined {
  if (values.server !== undefined) {
    const isAddress = URL.canParse(values.server) && /^https?:$/.test(new URL(values.server).protocol);
    return isAddress
      ? new URL(values.server)
      : end(`--server takes an address like https://chat.example.com, not "${values.server}".`);
  }
  if (serverOf(stateDir) === undefined) return undefined;
  try {
    return new URL(readFileSync(serverUrlFile(stateDir), "utf8"));
  } catch {
    throw new Failure(`The server of ${stateDir} is just starting or does not say where it is: name it with --server.`);
  }
}

async function startForBackup(): Promise<LocalServer> {
  if (!existsSync(resolve(stateDir, "d1"))) {
    throw new Failure(
      `There is no server's data in ${stateDir}: name its folder in STATE_DIR, or the server with --server.`,
    );
  }
  // What builds takes a second to load, which is spared where a server runs already.
  if (!values["no-build"]) await (await import("./builds.ts")).buildWorker();
  return startServer({ port: 0, stateDir, without: "pages" });
}

/** The secret in the folder is sent to a server on this machine alone: another one must not learn it by a mistaken address. */
function secret(target: URL): string {
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(target.hostname);
  const known = process.env.OPERATOR_SECRET ?? (isHere ? readOperatorSecret(stateDir) : undefined);
  if (known) return known;
  throw new Failure(
    "The operator's secret is needed: name it in OPERATOR_SECRET, or, for a server on this machine, its folder in STATE_DIR.",
  );
}

function lineOf({ rooms, changed, messages, rewritten, removed }: BackupReport): string {
  const deletions = rewritten === 0 ? "" : `, deletions in ${counted(rewritten, "room")}`;
  const gone = removed === 0 ? "" : `, ${counted(removed, "room")} gone`;
  return `${counted(rooms, "room")}, ${counted(messages, "new message")} in ${shown(changed)}${deletions}${gone}`;
}
