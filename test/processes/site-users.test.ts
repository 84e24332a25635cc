/** A site with users of its own: what its server signs by the documents, and what people see on its pages. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { contents, hostPage, launch, message, room as roomTag, say } from "./widget/page.ts";

const ROOT = join(import.meta.dirname, "../..");
const embedding = readFileSync(join(ROOT, "docs/embedding.md"), "utf8");

let server: Server;
let visitor: Visitor;
let owner: Key;
let room: string;
let folder: EmptyFolder;
let browser: Browser;

/** What `node sign.mjs` says to this, as the site's server. */
const signer = (...words: string[]) =>
  execFileSync(process.execPath, ["sign.mjs", ...words], {
    cwd: folder.path,
    env: { ...process.env, SITE: "acme", MEET_AI_SERVER: server.url, MEET_AI_KEY: owner.key },
    encoding: "utf8",
  }).trim();

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  owner = await visitor.makeKey();
  room = await visitor.makeRoom(owner.key);
  folder = new EmptyFolder();
  copyFileSync(join(ROOT, "docs/examples/sign.mjs"), join(folder.path, "sign.mjs"));
  signer("key");
  signer("register");
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  folder?.[Symbol.dispose]();
  await server?.remove();
});

/** The message that somebody says with `token`, as the room has kept it. */
async function said(token: string, content: string) {
  const response = await fetch(`${server.url}/api/rooms/${room}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ content }),
  });
  return (await response.json()) as { sender?: string; error?: { message: string } };
}

describe("sign.mjs", () => {
  it("has made a key that only its user can read, and keeps it", () => {
    expect(statSync(join(folder.path, "site-key.pem")).mode & 0o777).toBe(0o600);
    expect(() => signer("key")).toThrow(/site-key.pem is there already/);
  });

  it("signs for a user, who writes with it", async () => {
    expect(await said(signer("token", "anna", "Anna Lind"), "Hello")).toMatchObject({ sender: "anna@acme" });
  });

  it.each([
    [["token", "anna"], { SITE: "" }, "SITE is not set"],
    [["nothing"], {}, "Say one of: key, register, token."],
    [["register"], { MEET_AI_KEY: "mai_wrong-key" }, "not valid"],
  ])("says what is wrong with %j", (words, variables, reason) => {
    const env = { ...process.env, SITE: "acme", MEET_AI_SERVER: server.url, MEET_AI_KEY: owner.key, ...variables };
    const { status, stderr } = spawnSync(process.execPath, ["sign.mjs", ...words], { cwd: folder.path, env });
    expect([status, String(stderr)]).toEqual([1, expect.stringContaining(reason)]);
  });
});

/** How a snippet of docs/embedding.md is run, and what shows whether that is possible here. */
const LANGUAGES = [
  { language: "js", file: "sign-token.mjs", command: [process.execPath], probe: ["--version"] },
  { language: "python", file: "sign_token.py", command: ["python3"], probe: ["-c", "import cryptography"] },
  {
    language: "php",
    file: "sign-token.php",
    command: ["php"],
    probe: ["-r", "exit(extension_loaded('sodium') ? 0 : 1);"],
  },
  { language: "ruby", file: "sign-token.rb", command: ["ruby"], probe: ["-e", "exit(RUBY_VERSION >= '3' ? 0 : 1)"] },
  { language: "go", file: "sign-token.go", command: ["go", "run"], probe: ["version"] },
] as const;

describe("a snippet that signs", () => {
  it.each(LANGUAGES)("in $language gives a token that is taken", async ({ language, file, command, probe }) => {
    const blocks = [...embedding.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(
      ([, code]) => code ?? "",
    );
    const code = blocks.find((block) => block.includes("SITE_KEY")) ?? "";
    expect(code).toContain("https://meet-ai.cc");
    const [program, ...before] = command;
    const isHere = spawnSync(program, command[1] === "run" ? ["version"] : probe, { stdio: "ignore" }).status === 0;
    if (!isHere) {
      console.warn(`${program} is not on this machine, so the snippet in ${language} was not run.`);
      return;
    }
    writeFileSync(join(folder.path, file), code.replace("https://meet-ai.cc", server.url));
    const token = execFileSync(program, [...before, file], {
      cwd: folder.path,
      env: { ...process.env, SITE_KEY: "site-key.pem" },
      encoding: "utf8",
    }).trim();
    expect(await said(token, `Hello from ${language}`)).toMatchObject({ sender: "anna@acme" });
  });
});

describe("a site's page", () => {
  it("lets two of its users talk under their own names, and a stranger never be taken for one", async () => {
    const tokens = { anna: () => signer("token", "anna", "Anna Lind"), bob: () => signer("token", "bob", "Bob") };
    const open = async (user?: keyof typeof tokens) => {
      const context = await browser.newContext();
      // The site's own server: it knows who is logged in.
      await context.route("**/meet-ai-token", (route) => route.fulfill({ body: user ? tokens[user]() : "" }));
      const host = await hostPage(context, server, roomTag(room));
      if (user) {
        await host.page.locator("meet-ai-room").evaluate((element: HTMLElement & { getToken?: unknown }) => {
          element.getToken = async () => (await fetch("/meet-ai-token", { method: "POST" })).text();
        });
      }
      return host;
    };
    const [anna, bob, stranger] = [await open("anna"), await open("bob"), await open()];
    await say(anna.page, "Good morning");
    await message(bob.page, "Good morning").waitFor();
    await say(bob.page, "Good morning, Anna");
    await message(stranger.page, "Good morning, Anna").waitFor();
    await say(stranger.page, "I am Anna Lind · acme");
    for (const { page } of [anna, bob, stranger]) {
      await message(page, "I am Anna Lind").waitFor();
      const names = async (text: string) => message(page, text).last().locator(".sender").textContent();
      expect(await names("Good morning, Anna")).toBe("Bob · acme");
      expect(await names("I am Anna Lind")).toMatch(/^~/);
      expect(await page.locator("meet-ai-message .site").count()).toBeGreaterThanOrEqual(2);
    }
    expect(await contents(stranger.page)).toContain("Good morning");
    // The site changes its key, as far as the server is concerned: they come back with what their site signs.
    signer("register");
    await say(anna.page, "Still here");
    await message(bob.page, "Still here").waitFor();
    for (const { complaints } of [anna, bob, stranger]) expect(complaints).toEqual([]);
    for (const { page } of [anna, bob, stranger]) await page.context().close();
  });

  it("has its users called in the settings of the room's own page as in the room", async () => {
    await said(signer("token", "anna", "Anna Lind"), "Something");
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.url}/r/${room}`);
    await page.getByRole("button", { name: "Use a key" }).click();
    await page.getByLabel("Your key").fill(owner.key);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.locator("dialog[open] .handle").waitFor();
    await page.keyboard.press("Escape");
    await message(page, "Something").waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Moderation" }).click();
    await page.getByLabel("Mute a person, guest or agent").fill("anna@acme");
    await page.getByRole("button", { name: "Mute", exact: true }).click();
    await page.getByText("Anna Lind · acme is muted.").waitFor();
    const muted = page.locator("site-mutes .handle");
    expect([await muted.textContent(), await muted.getAttribute("title")]).toEqual(["Anna Lind · acme", "anna@acme"]);
    // What was done is read when the settings are opened.
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Moderation" }).click();
    await page.locator("site-deeds").getByText("Anna Lind · acme").first().waitFor();
    await page.getByRole("button", { name: "Unmute Anna Lind · acme" }).click();
    await page.getByText("Anna Lind · acme may write again.").waitFor();
    await context.close();
  });
});
