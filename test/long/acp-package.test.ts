/**
 * A real coding agent's ACP package from npm, as far as it goes without an account: it is started, begins a session, and says
 * when it is asked that it wants a login. It takes the registry, and 400 MB of disk for as long as it runs.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Bridged } from "../processes/bridge/bridged.ts";
import { Server } from "../processes/server.ts";

const PACKAGE = "@agentclientprotocol/claude-agent-acp@0.101.0";

const folder = mkdtempSync(join(tmpdir(), "meet-ai-acp-"));
let server: Server;

beforeAll(async () => {
  writeFileSync(join(folder, "package.json"), '{"private":true}');
  const install = ["install", "--no-audit", "--no-fund", "--no-update-notifier", "--save-exact", PACKAGE];
  await promisify(execFile)("npm", install, { cwd: folder });
  server = await Server.start();
}, 600_000);

afterAll(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

it(`${PACKAGE} begins a session, and what it answers without a login is said in the room`, async () => {
  const command = join(folder, "node_modules/.bin/claude-agent-acp");
  // Its home folder is a new one, and its environment has no key of any provider.
  await using bridged = await Bridged.begin(server, ["--", command]);
  expect(await bridged.answerTo(await bridged.ask("hello?"), 120_000)).toBe(
    "(No more comes: claude-agent-acp wants you to log in: run it once by itself.)",
  );
});
