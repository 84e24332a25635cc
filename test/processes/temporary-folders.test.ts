/** What a killed server leaves in the system's folder for what is temporary, and what becomes of it. */

import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { Server } from "./server.ts";

/** The number of a process that has ended. */
const endedProcess = () => spawnSync("true").pid;

it("is removed by the next server, and nothing of one that runs or of another user", async () => {
  using folder = new EmptyFolder();
  const vars = { TMPDIR: folder.path };
  const left = () => readdirSync(folder.path).filter((name) => name.startsWith("meet-ai-"));
  await using other = await Server.start({ vars });
  const [ofOther] = left();
  await using server = await Server.start({ vars });
  const killed = left().find((name) => name !== ofOther) as string;
  await server.kill();
  expect(left().sort()).toEqual([ofOther, killed].sort());

  // What was being prepared when a server was killed: long ago, and just now, when its process may be in another container.
  const [old, young] = [`meet-ai-config-${endedProcess()}-old`, `meet-ai-config-${endedProcess()}-young`];
  for (const name of [old, young]) mkdirSync(join(folder.path, name));
  utimesSync(join(folder.path, old), 0, 0);
  const kept = [ofOther as string, young];
  if (process.getuid?.() === 0) {
    const ofAnother = `meet-ai-config-${endedProcess()}-of-another`;
    mkdirSync(join(folder.path, ofAnother));
    utimesSync(join(folder.path, ofAnother), 0, 0);
    chownSync(join(folder.path, ofAnother), 65_534, 65_534);
    kept.push(ofAnother);
  }

  await server.start();
  const own = left().filter((name) => !kept.includes(name));
  expect(own).toEqual([expect.stringMatching(/^meet-ai-runtime-\d+-/)]);
  expect(own).not.toContain(killed);
  expect(left()).toEqual(expect.arrayContaining(kept));
  // It is still spoken to over its own socket: it closes in good order.
  await other.stop();
  expect(left()).not.toContain(ofOther);
  await server.stop();
  expect(left().sort()).toEqual(kept.slice(1).sort());
});
