/**
 * The commands by which docs/self-hosting.md leads from an empty machine to a server: each that is the project's own is run
 * as it stands there, but for where it writes. What installs packages and starts services is left out.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makePreviousFile } from "../import/previous-file.ts";
import { Server } from "./server.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOMAIN = "talk.example.org";
const SYSTEM = /^(apt-get|git clone|useradd|systemctl) /;

const documented = readFileSync(join(ROOT, "docs/self-hosting.md"), "utf8");
const [, block = ""] = /```sh\n(export DOMAIN=[\s\S]*?)\n```\n/.exec(documented) ?? [];
const [, ...commands] = block.trimEnd().split("\n");

/** Where the machine's folders are in this test. */
const machine = mkdtempSync(join(tmpdir(), "meet-ai-machine-"));
const stateDir = join(machine, "/var/lib/meet-ai");
let server: Server | undefined;

beforeAll(() => {
  for (const folder of ["etc/systemd/system", "etc/nginx/conf.d", "etc/cron.d", "var/lib", "var/backups", "root"]) {
    mkdirSync(join(machine, folder), { recursive: true });
  }
  const sound = { seed: 1, rooms: 3, messages: 60, keys: 3, oneDamagedOf: 0 };
  makePreviousFile(join(machine, "root/old.sqlite"), sound, () => {});
});

afterAll(async () => {
  await server?.remove();
  rmSync(machine, { recursive: true, force: true });
});

/** Runs the command that has `what` in it, and gives what it prints. */
function run(what: string | RegExp): string {
  const found = commands.filter((command) => command.search(what) >= 0 && !SYSTEM.test(command));
  expect(found).toHaveLength(1);
  const command = (found[0] as string)
    .replaceAll(/(?<![\w./])\/(etc|var|root)\//g, `${machine}/$1/`)
    .replaceAll(/"https:\/\/\$DOMAIN/g, `"${server?.url}`);
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  return execFileSync("bash", ["-euc", command], {
    cwd: ROOT,
    env: { ...process.env, PATH: path, DOMAIN },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const written = (file: string) => readFileSync(join(machine, file), "utf8");

it("are ten at most", () => {
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.length).toBeLessThan(10);
});

it("take the service and nginx's configuration from the page, with the domain in them", () => {
  run("```ini");
  run("```nginx");
  const service = written("etc/systemd/system/meet-ai.service");
  expect(service).toMatch(
    /^\[Unit\]\n[\s\S]*\nEnvironment=PUBLIC_URL=https:\/\/talk\.example\.org\n[\s\S]*\[Install\]\nWantedBy=multi-user.target\n$/,
  );
  expect(service).toMatch(/^Environment=STATE_DIR=\/var\/lib\/meet-ai$/m);
  const site = written("etc/nginx/conf.d/meet-ai.conf");
  expect(site).toMatch(/^map \$http_upgrade[\s\S]*\n {4}server_name talk\.example\.org;\n[\s\S]*\n}\n$/);
});

it("import what the previous server has kept, serve it, tell a monitor of it and back it up", async () => {
  expect(run("npm run import")).toMatch(/^Imported +3 keys, \d rooms, \d+ messages/m);
  server = await Server.start({ stateDir });
  const watched = run("/readyz");
  expect(watched).toMatch(/^\{"ok":true,"protocol":1\}/);
  expect(watched).toMatch(/^meet_ai_database_up 1$/m);
  expect(watched.trimEnd()).toMatch(/# EOF$/);
  run("/etc/cron.d/meet-ai");
  const [, nightly = ""] = /^17 3 \* \* \* root cd \/opt\/meet-ai && (.*)$/m.exec(written("etc/cron.d/meet-ai")) ?? [];
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const done = execFileSync("sh", ["-euc", nightly], {
    cwd: ROOT,
    env: { ...process.env, PATH: path },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(done).toMatch(/^3 rooms|^4 rooms/);
  expect(written("var/backups/meet-ai/directory.ndjson")).toContain('"complete":true');
});
