/** `npm run restore -- DIR`: brings the backup in `DIR` into `STATE_DIR`, which must be new or empty. */

import { resolve } from "node:path";
import { commandLine } from "./command-line.ts";
import { end } from "./end.ts";
import { failureLine } from "./failure.ts";
import { takeFolder } from "./lock.ts";
import { counted, Progress, partOf, shown } from "./progress.ts";
import { openBackup, restore } from "./restore/restore.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: { incomplete: { type: "boolean", default: false } },
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
  takeFolder(stateDir);
  const { keys, rooms, messages, torn } = await restore({
    folder: resolve(name),
    stateDir,
    allowsIncomplete: values.incomplete,
    // The runtime takes a second to load, which a refusal need not wait for.
    withDatabase: async (work) => (await import("./server.ts")).withDatabase(stateDir, work),
    progress: (step, messages) => {
      if (step === "checked") all = messages;
      const part = step === "checked" ? undefined : partOf(messages, all);
      progress.show(() => `${step} ${shown(messages)} messages`, part);
    },
  });
  progress.end();
  for (const path of torn)
    console.log(`${path} was cut off while it was written: it is restored up to its last checksum.`);
  console.log(
    `Restored ${counted(keys, "key")}, ${counted(rooms, "room")} and ${shown(messages)} messages into ${stateDir}`,
  );
} catch (error) {
  progress.end();
  end(failureLine(error));
}
process.exit(0);
