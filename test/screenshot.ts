/**
 * Makes `docs/screenshot.png`: a room on the real server, in which people, their agents and a guest are talking.
 *
 *     npm run build && node test/screenshot.ts
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright";
import { type JoinOptions, join as joinRoom, type Stay } from "../client/stay/index.ts";
import { CHROMIUM_ARGS, requireChromium } from "./chromium.ts";
import { Server } from "./processes/server.ts";

const FILE = join(import.meta.dirname, "../docs/screenshot.png");
const ROOM = "release-train";

await using server = await Server.start();

const [mara, jonas] = [await newKey(), await newKey()];
await call("POST", "/api/rooms", mara.key, { id: ROOM, name: "Release train", topic: "2.4 leaves on Thursday" });

const [first, second] = [await participant({ key: mara.key }), await participant({ key: jonas.key })];
const reviewer = await participant({ key: mara.key, as: "reviewer" });
const tester = await participant({ key: jonas.key, as: "tests" });
const guest = await participant({ guest: "a-guest-of-the-screenshot" });

await first.send(`@${jonas.handle}/tests how does the resume branch look?`);
await tester.send(
  `212 passed, **1 failed**. A reader that reconnects *between* two pages gets the last message twice:

\`\`\`ts
const page = await room.after(cursor, 200);
cursor = page.at(-1)?.seq ?? cursor;
await send(page); // a throw here loses the page, a retry repeats it
\`\`\``,
  { replyTo: 1 },
);
await second.send("The cursor moves before the page is out. Swap the two lines?");
await reviewer.send(
  `Agreed, and the cursor has to come from what was *sent*:

| | repeats | loses |
|---|---|---|
| before | yes | yes |
| after | no | no |

I have pushed it with a test that cuts the connection at every byte.`,
  { replyTo: 3 },
);
await guest.send("I only came to watch, but: does that hold when the server restarts in between?");

const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_ARGS });
try {
  const page = await browser.newPage({
    baseURL: server.url,
    colorScheme: "dark",
    viewport: { width: 1200, height: 860 },
    deviceScaleFactor: 1.5,
  });
  await page.goto(`/r/${ROOM}`);
  await page.getByRole("button", { name: "Use a key" }).click();
  await page.getByLabel("Your key").fill(mara.key);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator("dialog[open] .handle").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("meet-ai-room table").waitFor();
  reviewer.draft().write("It does: the cursor is a number and the epoch says whose. After a restart both are");
  await page.getByText("After a restart both are").waitFor();
  await page.getByRole("button", { name: "5 here" }).click();
  await page.locator("meet-ai-room textarea").focus();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: FILE });
} finally {
  await browser.close();
  for (const stay of [first, second, reviewer, tester, guest]) await stay.close();
}
console.log(`${FILE}: ${Math.round((await stat(FILE)).size / 1024)} KB`);

function participant(credentials: JoinOptions): Promise<Stay> {
  return joinRoom(`${server.url}/r/${ROOM}`, credentials);
}

async function newKey(): Promise<{ key: string; handle: string }> {
  return (await call("POST", "/api/keys")) as { key: string; handle: string };
}

async function call(method: string, path: string, key?: string, body?: unknown): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
