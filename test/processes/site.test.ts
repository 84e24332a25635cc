/** The site's pages, in a browser, against the real server. */

import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Server } from "./server.ts";
import { until } from "./until.ts";
import { accessibilityFaults, cutOff, tooSmall, Visitors } from "./visitors.ts";

const KEY = /^mai_[A-Za-z0-9_-]{24}$/;

let server: Server;
let visitors: Visitors;

beforeAll(async () => {
  server = await Server.start();
  visitors = await Visitors.of(server.url);
});

afterAll(async () => {
  await visitors?.close();
  await server?.remove();
});

afterEach(async () => {
  expect(await visitors.leave()).toEqual([]);
});

describe("from nothing to a conversation", () => {
  it("makes a key by one click, a room with it, and talks there while another page watches", async () => {
    const ada = await visitors.newcomer();
    await ada.goto("/key");
    await ada.getByRole("button", { name: "Create a key" }).click();
    const handle = await handleOn(ada);
    expect(await keyOn(ada)).toMatch(KEY);

    await ada.getByRole("link", { name: "make a room" }).click();
    await ada.getByLabel("Name").fill("Ada's workshop");
    await ada.getByLabel("Topic").fill("Engines, analytical");
    await ada.getByRole("button", { name: "Make the room" }).click();
    await ada.waitForURL("**/r/ada-s-workshop");
    await expect.poll(() => ada.title()).toBe("Ada's workshop · meet-ai");

    const watcher = await visitors.newcomer();
    await watcher.goto("/rooms");
    await watcher.getByRole("link", { name: "Ada's workshop" }).click();
    await watcher.waitForURL("**/r/ada-s-workshop");

    await say(ada, "The engine weaves algebraic patterns.");
    const heard = watcher.getByRole("log").getByText("The engine weaves algebraic patterns.");
    await heard.waitFor();
    await watcher.getByRole("log").getByText(handle).first().waitFor();
  });

  it("shows the lobby live on the first page, and lets a guest talk there", async () => {
    const [guest, other] = [await visitors.newcomer(), await visitors.newcomer()];
    await Promise.all([guest.goto("/"), other.goto("/")]);
    await say(guest, "Hello from the first page");
    await other.getByRole("log").getByText("Hello from the first page").waitFor();
  });

  it("lists first the room in which somebody spoke last", async () => {
    const { key } = await newKey();
    for (const id of ["earlier", "later"]) {
      await makeRoom(key, { id, name: `Room ${id}` });
      await post(key, id, "something");
    }
    const page = await visitors.newcomer();
    await until("the archive has told the list", async () => {
      await page.goto("/");
      await page.locator("site-rooms .room-name").first().waitFor();
      const names = await page.locator("site-rooms .room-name").allTextContents();
      return names.indexOf("Room later") === 0 && names.indexOf("Room earlier") === 1;
    });
  });
});

describe("the key", () => {
  it("goes into no address, and into no storage once it is to be kept on the page alone", async () => {
    const page = await visitors.newcomer();
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    await page.goto("/key");
    await page.getByRole("button", { name: "Create a key" }).click();
    const key = await keyOn(page);
    const stored = () =>
      page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    expect(await stored()).toContain(key);
    await page.getByLabel("On this page only").check();
    expect(await stored()).not.toContain(key);
    expect(addresses.join()).not.toContain(key);
    expect(page.url()).not.toContain(key);
  });

  it("comes with a name of one's own, if one likes to choose", async () => {
    await newKey({ handle: "ada-first" });
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.getByRole("button", { name: "Choose a name" }).click();
    await expect.poll(() => hasFocus(page.getByLabel("Your name"))).toBe(true);
    await page.keyboard.type("Operator");
    await page.keyboard.press("Enter");
    const problem = page.locator("#handle-problem");
    await expect.poll(() => problem.textContent()).toBe('The name must not be "operator": that name is reserved.');
    await page.getByLabel("Your name").fill("ada-first");
    await page.keyboard.press("Enter");
    await expect.poll(() => problem.textContent()).toBe("Somebody has this name already.");
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel("Your name").fill("Ada Second");
    await page.getByRole("button", { name: "Create it" }).click();
    await expect.poll(() => handleOn(page)).toBe("ada-second");
    expect(await keyOn(page)).toMatch(KEY);
  });

  it("and the name that was chosen are not lost with an answer that is, also over a reload", async () => {
    const page = await visitors.newcomer();
    const wish = async () => {
      await page.goto("/key");
      await page.getByRole("button", { name: "Choose a name" }).click();
      await page.getByLabel("Your name").fill("grace-first");
      await page.getByRole("button", { name: "Create it" }).click();
    };
    await page.route("**/api/keys", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await wish();
    await page.getByText("The server can't be reached").waitFor();
    await page.unroute("**/api/keys");
    await wish();
    await expect.poll(() => handleOn(page)).toBe("grace-first");
    const mine = await api("GET", "/api/keys/me", await keyOn(page));
    expect(await mine.json()).toMatchObject({ handle: "grace-first" });
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual(["meet-ai-key"]);
  });

  it("asks before a key that nobody has copied is lost", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.getByRole("button", { name: "Create a key" }).click();
    await page.getByLabel("On this page only").check();

    const question = page.waitForEvent("dialog");
    const left = page.goto("/rooms").catch(() => "stayed");
    const dialog = await question;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.dismiss();
    expect(await left).toBe("stayed");

    const copied = await watchFor(page, "Copied.");
    await page.locator(".key-shown").getByText("Copy key").click();
    await until("the page knows that it is copied", copied);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(KEY);
    await page.goto("/rooms");
    expect(new URL(page.url()).pathname).toBe("/rooms");
  });

  it("is known on the tab's other pages, and in no other tab", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.getByRole("button", { name: "Create a key" }).click();
    const handle = await handleOn(page);
    await page.goto("/r/lobby");
    await page.getByRole("button", { name: handle }).waitFor();
    await page.goto("/");
    await page.locator("meet-ai-room").getByPlaceholder(`Write as ${handle}`).waitFor();
    const other = await page.context().newPage();
    await other.goto("/r/lobby");
    await other.getByRole("button", { name: "Use a key" }).waitFor();
  });

  it("that was pasted is known on the tab's other pages too", async () => {
    const { key, handle } = await newKey();
    const page = await visitors.newcomer();
    await page.goto("/r/lobby");
    await enterWith(page, key);
    await page.goto("/key");
    expect(await handleOn(page)).toBe(handle);
  });

  it("is known in every tab if it is kept on the device, until one of them lets go of it", async () => {
    const { key, handle } = await newKey();
    const page = await visitors.newcomer();
    await page.goto("/key");
    await useKey(page, key);
    await page.getByLabel("On this device").check();
    const other = await page.context().newPage();
    await other.goto("/r/lobby");
    await other.getByRole("button", { name: handle }).waitFor();
    await page.getByRole("button", { name: "Use another key" }).click();
    await other.getByRole("button", { name: "Use a key" }).waitFor();
    const stored = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(await stored()).not.toContain(key);
    await useKey(page, key);
    await page.getByLabel("On this device").check();
    await page.getByLabel("In this tab").check();
    await other.reload();
    await other.getByRole("button", { name: "Use a key" }).waitFor();
  });

  it("is let go of when it was revoked elsewhere", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.getByRole("button", { name: "Create a key" }).click();
    await api("DELETE", "/api/keys/me", await keyOn(page));
    await page.goto("/r/lobby");
    await page.getByRole("button", { name: "Use a key" }).waitFor();
    await say(page, "As a guest, then");
    await page.getByRole("log").getByText("As a guest, then").waitFor();
  });

  it("is refused when it is malformed, unknown or revoked, in words", async () => {
    const page = await visitors.newcomer();
    const { key } = await newKey();
    await page.goto("/key");
    const problem = page.getByRole("alert");
    await useKey(page, "mai_short");
    await expect.poll(() => problem.textContent()).toContain("24 more characters");
    await useKey(page, "mai_000000000000000000000000");
    await expect.poll(() => problem.textContent()).toContain("No such key");

    await useKey(page, key);
    await page.getByRole("button", { name: "Revoke it…" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Revoke it…" }).click();
    await page.getByRole("button", { name: "Revoke forever" }).click();
    await page.getByRole("button", { name: "Create a key" }).waitFor();
    await useKey(page, key);
    await expect.poll(() => problem.textContent()).toContain("No such key");
  });

  it("is replaced by one with the same handle, and the old one is over", async () => {
    const page = await visitors.newcomer();
    const { key, handle } = await newKey();
    await page.goto("/key");
    await useKey(page, key);
    expect(await handleOn(page)).toBe(handle);
    await page.getByRole("button", { name: "Replace the key…" }).click();
    await page.getByRole("button", { name: "Replace it" }).click();
    const next = await keyOn(page);
    expect(next).toMatch(KEY);
    expect(next).not.toBe(key);
    expect(await handleOn(page)).toBe(handle);
    // The page uses the new key once it shows it, which ends the old one.
    await expect.poll(async () => (await api("GET", "/api/keys/me", key)).status, { timeout: 60_000 }).toBe(401);
    expect((await api("GET", "/api/keys/me", next)).status).toBe(200);
  });
});

describe("the list of rooms", () => {
  it("searches as one types, keeps the search in the address, and says when nothing is found", async () => {
    const { key } = await newKey();
    await makeRoom(key, { id: "needle-room", name: "Needle & thread" });
    const page = await visitors.newcomer();
    await page.goto("/rooms");
    await page.getByLabel("Search rooms").fill("needle &");
    await expect.poll(() => page.locator(".room-name").allTextContents()).toEqual(["Needle & thread"]);
    await page.reload();
    await expect.poll(() => page.locator(".room-name").allTextContents()).toEqual(["Needle & thread"]);
    await page.getByLabel("Search rooms").fill("no such room anywhere");
    await page.getByText("No room matches “no such room anywhere”").waitFor();
  });

  it("shows every room once, page by page", async () => {
    const { key } = await newKey();
    for (let number = 1; number <= 35; number++)
      await makeRoom(key, { id: `paged-${number}`, name: `Paged ${number}` });
    const page = await visitors.newcomer();
    await page.goto("/rooms?q=Paged");
    await page.getByRole("button", { name: "Show more rooms" }).click();
    await expect.poll(() => page.locator(".room-name").count()).toBe(35);
    expect(new Set(await page.locator(".room-name").allTextContents()).size).toBe(35);
    await expect.poll(() => page.getByRole("button", { name: "Show more rooms" }).count()).toBe(0);
  });

  it("says that the server is out of reach, and tries again", async () => {
    const page = await visitors.newcomer();
    await page.route("**/api/rooms?*", (route) => route.abort());
    await page.goto("/rooms");
    await page.getByText("The server can't be reached").waitFor();
    await page.unroute("**/api/rooms?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "Lobby", exact: true }).first().waitFor();
  });

  it("says how long to wait when a quota is used up", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.route("**/api/keys", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "7200" },
        json: { error: { code: "rate_limited", message: "10 new keys a day." } },
      }),
    );
    await page.getByRole("button", { name: "Create a key" }).click();
    await page.getByText("10 new keys a day. Try again in 2 hours.").waitFor();
  });

  it("refuses an address that is taken or malformed, and keeps what was typed", async () => {
    const { key } = await newKey();
    const page = await visitors.newcomer();
    await page.goto("/rooms?new");
    await useKey(page, key);
    await page.getByLabel("Name").fill("Mine");
    const address = page.getByRole("textbox", { name: "Address" });
    await address.fill("lobby");
    await page.getByRole("button", { name: "Make the room" }).click();
    await page.getByText("This address is taken.").waitFor();
    await address.fill("-not good-");
    await page.getByRole("button", { name: "Make the room" }).click();
    await page.getByText("without - at either end").waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Mine");
  });
});

describe("a room's page", () => {
  it("answers 404 for a room that is not there, and offers to make it", async () => {
    const page = await visitors.newcomer();
    const response = await page.goto("/r/not-yet-there");
    expect(response?.status()).toBe(404);
    await page.getByRole("heading", { name: "There is no room not-yet-there" }).waitFor();
    await page.getByRole("link", { name: "Make this room" }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Create a key" }).click();
    expect(await page.getByRole("textbox", { name: "Address" }).inputValue()).toBe("not-yet-there");
  });

  it("answers 404 with a page for any other address", async () => {
    const page = await visitors.newcomer();
    const response = await page.goto("/no/such/page");
    expect(response?.status()).toBe(404);
    await page.getByRole("link", { name: "See all rooms" }).waitFor();
  });

  it("leads a guest who may only read to a key, and then to the field", async () => {
    const { key } = await newKey();
    const { id } = await makeRoom(key, { name: "For readers" });
    await api("PATCH", `/api/rooms/${id}`, key, { guests: "read" });
    const page = await visitors.newcomer();
    await page.goto(`/r/${id}`);
    await page.locator("meet-ai-room").getByRole("link", { name: "Use a key" }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Create a key" }).click();
    const handle = await handleOn(page);
    await page.keyboard.press("Escape");
    await page.locator("meet-ai-room").getByPlaceholder(`Write as ${handle}`).waitFor();
    expect(page.context().pages()).toHaveLength(1);
  });

  it("shows settings to the owner alone", async () => {
    const [owner, stranger] = [await newKey(), await newKey()];
    await makeRoom(owner.key, { id: "owned", name: "Owned" });
    const page = await visitors.newcomer();
    await page.goto("/r/owned");
    await enterWith(page, stranger.key);
    await page.getByRole("button", { name: stranger.handle }).waitFor();
    expect(await page.getByRole("button", { name: "Settings" }).count()).toBe(0);
    await page.getByRole("button", { name: stranger.handle }).click();
    await page.getByRole("button", { name: "Use another key" }).click();
    await useKey(page, owner.key);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).waitFor();
  });

  it("tells the owner in the settings how full the server is", async () => {
    const owner = await newKey();
    await makeRoom(owner.key, { id: "kept", name: "Kept" });
    const page = await visitors.newcomer();
    await page.route("**/api/rooms/kept", async (route) => {
      const response = await route.fetch();
      const room = (await response.json()) as { archive?: object };
      await route.fulfill({
        response,
        json: { ...room, ...(room.archive && { archive: { ...room.archive, databaseShare: 0.83 } }) },
      });
    });
    await page.goto("/r/kept");
    await enterWith(page, owner.key);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("The server's database is 83 % full.").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.unrouteAll({ behavior: "wait" });
  });

  it("lets the owner download what was said, and nobody else, with the key in no address", async () => {
    const owner = await newKey();
    await makeRoom(owner.key, { id: "exported", name: "Exported" });
    await api("POST", "/api/rooms/exported/messages", owner.key, { content: "Something to keep: ü" });
    const page = await visitors.newcomer();
    await page.goto("/r/exported");
    await page.getByRole("button", { name: "Share" }).click();
    await page.locator("dialog[open]").getByRole("heading", { name: "People: the address" }).waitFor();
    expect(await page.getByRole("button", { name: /^Download/ }).count()).toBe(0);
    await page.keyboard.press("Escape");
    await enterWith(page, owner.key);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    // A browser may read the file only when the person has said where to, so its address lives on for a while.
    const livesOf = await page.evaluateHandle(() => {
      const { createObjectURL } = URL;
      const made = new Map<string, number>();
      const lives: number[] = [];
      URL.createObjectURL = (file) => {
        const address = createObjectURL(file);
        made.set(address, performance.now());
        return address;
      };
      URL.revokeObjectURL = (address) => lives.push(performance.now() - (made.get(address) ?? 0));
      return lives;
    });
    const download = async (place: string, name: string) => {
      await page.getByRole("button", { name: place }).click();
      if (place === "Settings") await page.getByRole("tab", { name: "Data" }).click();
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("dialog[open]").getByRole("button", { name }).click(),
      ]);
      await page.locator("dialog[open]").getByText("Downloaded.").waitFor();
      await page.keyboard.press("Escape");
      return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
    };
    const text = await download("Share", "Download text");
    expect(text.name).toBe("exported.md");
    expect(text.text).toContain("> Something to keep: ü");
    const data = await download("Settings", "Download data");
    expect((await livesOf.jsonValue()).filter((life) => life < 30_000)).toEqual([]);
    expect(data.name).toBe("exported.ndjson");
    expect(
      data.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: "room", id: "exported" },
      { seq: 1, content: "Something to keep: ü" },
      { type: "sum", upTo: 1 },
    ]);
    expect(asked.filter((url) => url.includes("/export?"))).toHaveLength(2);
    expect(asked.join("\n")).not.toContain(owner.key);
  });

  it("lets the owner rename it live, close it to guests, mute and unmute, and delete it", async () => {
    const owner = await newKey();
    await makeRoom(owner.key, { id: "governed", name: "Governed" });
    const [page, guest] = [await visitors.newcomer(), await visitors.newcomer()];
    await guest.goto("/r/governed");
    await page.goto("/r/governed");
    await enterWith(page, owner.key);

    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Name").first().fill("Governed well");
    await page.getByLabel("Guests may write").uncheck();
    const limit = page.getByLabel("Agent message limit");
    await limit.fill("1001");
    await page.getByRole("button", { name: "Save" }).click();
    expect(await limit.evaluate((input: HTMLInputElement) => input.validity.rangeOverflow)).toBe(true);
    await limit.fill("7");
    await page.getByLabel("Pages that may write here").fill("https://example.com\nhttps://example.org");
    await page.getByLabel("Instructions for agents").fill("# Be brief\n\nOne sentence.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("dialog[open]").getByText("Saved.").first().waitFor();
    await guest.getByText("Governed well").first().waitFor();
    const saved = (await (await api("GET", "/api/rooms/governed", owner.key)).json()) as Record<string, unknown>;
    expect(saved).toMatchObject({
      name: "Governed well",
      guests: "read",
      loopGuard: 7,
      origins: ["https://example.com", "https://example.org"],
      instructions: { version: 1, text: "# Be brief\n\nOne sentence." },
    });
    await expect.poll(() => page.title()).toBe("Governed well · meet-ai");

    await page.getByLabel("Pages that may write here").fill("nonsense");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("dialog[open] .notice.problem").waitFor();

    await page.getByRole("tab", { name: "Moderation" }).click();
    await page.getByLabel("Mute a person, guest or agent").fill("~brisk-lynx-4f2a9c");
    await page.getByLabel("How long").selectOption("1 hour");
    await page.getByRole("button", { name: "Mute", exact: true }).click();
    await page.getByText(/^\s*(60|5\d) minutes left\s*$/).waitFor();
    await page.getByRole("button", { name: "Unmute ~brisk-lynx-4f2a9c" }).click();
    await page.getByText("Nobody. Who is muted reads on").waitFor();

    const unwanted = "what a guest says";
    await api("PATCH", "/api/rooms/governed", owner.key, { guests: "write", origins: [] });
    await api("POST", "/api/rooms/governed/messages", owner.key, { content: unwanted, as: "bot" });
    await guest.getByText(unwanted).waitFor();
    await page.getByLabel("Erase everything by").fill(`${owner.handle}/bot`);
    await page.getByRole("button", { name: "Erase…" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Erase…" }).click();
    await page.getByRole("button", { name: `Erase everything by ${owner.handle}/bot` }).click();
    await page.getByText(`Nobody is shown anything by ${owner.handle}/bot any more.`).waitFor();
    await guest.getByText(unwanted).waitFor({ state: "detached" });
    await guest.getByText("This message has been deleted.").waitFor();

    await page.getByRole("tab", { name: "Room" }).click();
    // What deletes messages at once is said first, and done when it is asked for again.
    const keep = page.getByLabel("Delete messages after days");
    await keep.fill("30");
    await page.getByLabel("Pages that may write here").fill("");
    await page.getByLabel("Delete this room after days of silence").fill("90");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("older than 30 days will be deleted at once").waitFor();
    const retention = async () => {
      const room = await (await api("GET", "/api/rooms/governed")).json();
      return { keepDays: room.keepDays, endAfterDays: room.endAfterDays };
    };
    expect(await retention()).toEqual({ keepDays: null, endAfterDays: null });
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("dialog[open]").getByText("Saved.").first().waitFor();
    expect(await retention()).toEqual({ keepDays: 30, endAfterDays: 90 });
    // Longer again, nothing is deleted, so nothing is asked.
    await keep.fill("");
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(retention).toEqual({ keepDays: null, endAfterDays: 90 });

    await page.getByRole("tab", { name: "Data" }).click();
    const remove = page.getByRole("button", { name: "Delete room" });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel("Type governed to delete it").fill("governed");
    await remove.click();
    await page.waitForURL("**/rooms");
    expect((await api("GET", "/api/rooms/governed")).status).toBe(404);
    await guest.getByText("This room has been deleted by its owner.").waitFor();
    await expect.poll(() => guest.title()).toBe("A deleted room · meet-ai");
  });
});

describe("the theme", () => {
  it("follows the system, can be changed, and is remembered before the first paint", async () => {
    const page = await visitors.newcomer({ theme: "light" });
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.goto("/");
    const light = await background();
    await page.getByRole("button", { name: "Use the dark theme" }).click();
    const dark = await background();
    expect(dark).not.toBe(light);
    // Without its modules the page shows what the first paint has.
    await page.route("**/*.js", (route) =>
      route.request().url().endsWith("/theme.js") ? route.continue() : route.abort(),
    );
    await page.goto("/rooms");
    expect(await background()).toBe(dark);
    await page.unroute("**/*.js");
    await page.reload();
    await page.getByRole("button", { name: "Use the light theme" }).click();
    expect(await background()).toBe(light);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await background()).toBe(dark);
  });
});

/** Every page, in every state that somebody can meet it in. */
const STATES: readonly { name: string; path: string; reach?: (page: Page) => Promise<void> }[] = [
  { name: "home", path: "/", reach: (page) => page.locator(".room-name").first().waitFor() },
  { name: "rooms", path: "/rooms", reach: (page) => page.locator(".room-name").first().waitFor() },
  { name: "rooms, none found", path: "/rooms?q=nothing-like-it", reach: (page) => page.getByText("No room").waitFor() },
  {
    name: "rooms, out of reach",
    path: "/rooms",
    reach: async (page) => {
      await page.route("**/api/rooms?*", (route) => route.abort());
      await page.reload();
      await page.getByText("can't be reached").waitFor();
    },
  },
  { name: "new room, no key", path: "/rooms?new", reach: (page) => page.locator("dialog[open]").waitFor() },
  {
    name: "new room, new key, taken address",
    path: "/rooms?new=lobby",
    reach: async (page) => {
      await page.locator("dialog[open]").getByRole("button", { name: "Create a key" }).click();
      await page.getByLabel("Name").fill("A name");
      await page.getByRole("button", { name: "Make the room" }).click();
      await page.getByText("This address is taken.").waitFor();
    },
  },
  { name: "key", path: "/key", reach: (page) => page.getByRole("button", { name: "Create a key" }).waitFor() },
  {
    name: "key, refused",
    path: "/key",
    reach: async (page) => {
      await useKey(page, "wrong");
      await page.getByText("24 more characters").waitFor();
    },
  },
  {
    name: "key, new",
    path: "/key",
    reach: async (page) => {
      await page.getByRole("button", { name: "Create a key" }).click();
      await page.locator(".key-shown").waitFor();
    },
  },
  {
    name: "key, in use, asked whether to revoke it",
    path: "/key",
    reach: async (page) => {
      await useKey(page, (await newKey()).key);
      await page.getByRole("button", { name: "Revoke it…" }).click();
      await page.getByRole("button", { name: "Keep it" }).waitFor();
    },
  },
  { name: "room", path: "/r/lobby", reach: (page) => page.getByRole("log").waitFor() },
  {
    name: "room, share",
    path: "/r/lobby",
    reach: async (page) => {
      await page.getByRole("button", { name: "Share" }).click();
      await page.locator("dialog[open]").waitFor();
    },
  },
  {
    name: "room, use a key",
    path: "/r/lobby",
    reach: async (page) => {
      await page.getByRole("button", { name: "Use a key" }).click();
      await page.locator("dialog[open]").waitFor();
    },
  },
  {
    name: "room, settings with somebody muted",
    path: "/r/lobby",
    reach: async (page) => {
      const { key } = await newKey();
      const { id } = await makeRoom(key, { name: "A room" });
      await api("PUT", `/api/rooms/${id}/mutes/${encodeURIComponent("~brisk-lynx-4f2a9c")}`, key);
      await page.goto(`/r/${id}`);
      await enterWith(page, key);
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("tab", { name: "Moderation" }).click();
      await page.getByRole("button", { name: "Unmute" }).waitFor();
    },
  },
  {
    name: "room, settings with members and invites",
    path: "/r/lobby",
    reach: async (page) => {
      const [owner, member] = [await newKey(), await newKey()];
      const { id } = await makeRoom(owner.key, { name: "A room" });
      await api("PUT", `/api/rooms/${id}/members/${member.handle}`, owner.key, { role: "member" });
      await page.goto(`/r/${id}`);
      await enterWith(page, owner.key);
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("tab", { name: "People" }).click();
      await page.getByRole("button", { name: `Remove ${member.handle}` }).waitFor();
      await page.getByRole("button", { name: "Make an invite" }).click();
      await page.locator(".invite-link").waitFor();
    },
  },
  {
    name: "room, share with invites",
    path: "/r/lobby",
    reach: async (page) => {
      const { key } = await newKey();
      const { id } = await makeRoom(key, { name: "A room" });
      await page.goto(`/r/${id}`);
      await enterWith(page, key);
      await page.getByRole("button", { name: "Share" }).click();
      await page.getByRole("button", { name: "Invite a person" }).click();
      await page.locator(".invite-link").waitFor();
      await page.getByRole("button", { name: "Invite an agent" }).click();
      await page.getByText("These instructions have an invite").waitFor();
    },
  },
  {
    name: "room, for members alone",
    path: "/r/lobby",
    reach: async (page) => {
      const { key } = await newKey();
      const { id } = await makeRoom(key, { name: "A room", access: "members" });
      await page.goto(`/r/${id}`);
      await page.getByText("This room is for its members.").waitFor();
    },
  },
  { name: "room, missing", path: "/r/nothing-here", reach: (page) => page.getByText("There is no room").waitFor() },
  { name: "not found", path: "/nowhere" },
];

describe("every page and state", () => {
  it.each(STATES)(
    "$name: axe-core finds nothing in either theme, and 320 pixels are enough",
    async ({ path, reach }) => {
      const page = await visitors.newcomer();
      await page.goto(path);
      await reach?.(page);
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "light" });
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await cutOff(page)).toEqual([]);
    },
  );
});

describe("with a finger", () => {
  it.each(STATES)("$name: all there is to touch is large enough, and 320 pixels are", async ({ path, reach }) => {
    const page = await visitors.newcomer({ width: 320, touch: true });
    await page.goto(path);
    await reach?.(page);
    expect(await tooSmall(page)).toEqual([]);
    expect(await cutOff(page)).toEqual([]);
  });
});

describe("by keyboard alone", () => {
  it("makes a key, makes a room and talks in it", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.getByRole("button", { name: "Create a key" }).waitFor();
    await tabTo(page, page.getByRole("button", { name: "Create a key" }));
    await page.keyboard.press("Enter");
    const shown = page.locator(".key-shown").getByRole("button", { name: "Copy" });
    await shown.waitFor();
    await tabTo(page, shown);
    const copied = await watchFor(page, "Copied.");
    await page.keyboard.press("Enter");
    await until("it says that it has copied", copied);

    await tabTo(page, page.getByRole("link", { name: "make a room" }));
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    await expect.poll(() => hasFocus(page.getByLabel("Name"))).toBe(true);
    await page.keyboard.type("By hand");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/r/by-hand");

    const field = page.locator("meet-ai-room textarea");
    await field.waitFor();
    await tabTo(page, field);
    await page.keyboard.type("No mouse was harmed.");
    await page.keyboard.press("Enter");
    await page.getByRole("log").getByText("No mouse was harmed.").waitFor();

    await tabTo(page, page.getByRole("button", { name: "Settings" }), "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => hasFocus(page.getByRole("button", { name: "Settings" }))).toBe(true);
  });

  it("skips to the content, and walks the snippets by arrow keys", async () => {
    const page = await visitors.newcomer();
    await page.goto("/key");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    await tabTo(page, page.getByRole("tab", { name: "Claude Code" }));
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.locator("site-snippets[for=mcp] pre").textContent()).toContain("codex mcp add");
    await tabTo(page, page.getByRole("tab", { name: "Agent" }));
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.getByRole("tab", { name: "Model" }).getAttribute("aria-selected")).toBe("true");
    await expect.poll(() => page.locator("site-snippets[for=agent] pre").textContent()).toContain("text/markdown");
  });
});

function api(method: string, path: string, key?: string, body?: unknown): Promise<Response> {
  const headers = new Headers();
  if (key) headers.set("authorization", `Bearer ${key}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  return fetch(server.url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

async function newKey(wish?: { handle: string }): Promise<{ key: string; handle: string }> {
  return (await (await api("POST", "/api/keys", undefined, wish)).json()) as { key: string; handle: string };
}

async function makeRoom(key: string, room: { id?: string; name: string; access?: "members" }): Promise<{ id: string }> {
  const response = await api("POST", "/api/rooms", key, room);
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string };
}

async function post(key: string, room: string, content: string): Promise<void> {
  const response = await api("POST", `/api/rooms/${room}/messages`, key, { content });
  expect(response.status).toBe(201);
}

async function say(page: Page, text: string): Promise<void> {
  const field = page.locator("meet-ai-room textarea");
  await field.fill(text);
  await field.press("Enter");
}

/** Puts a key into the field that the page shows for it. */
async function useKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Your key").fill(key);
  await page.getByRole("button", { name: "Use it" }).click();
}

/** On a room's page: uses a key, and closes the dialog. */
async function enterWith(page: Page, key: string): Promise<void> {
  await page.getByRole("button", { name: "Use a key" }).click();
  await useKey(page, key);
  await page.locator("dialog[open] .handle").waitFor();
  await page.keyboard.press("Escape");
}

const keyOn = async (page: Page): Promise<string> => (await page.locator(".key-shown code").textContent()) ?? "";
const handleOn = async (page: Page): Promise<string> => (await page.locator(".handle").first().textContent()) ?? "";

const hasFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => (element.getRootNode() as Document | ShadowRoot).activeElement === element);

/** Watches from now on; asked later, whether the page has said `text` in between, however briefly. */
async function watchFor(page: Page, text: string): Promise<() => Promise<boolean>> {
  const watch = await page.evaluateHandle((text) => {
    const seen = { yes: false };
    const look = () => {
      seen.yes ||= document.body.textContent.includes(text);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    return seen;
  }, text);
  return () => watch.evaluate(({ yes }) => yes);
}

/** Presses Tab until `target` has the focus; fails if it never does, or if something on the way shows no focus. */
async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await hasFocus(target)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${target} can't be reached by ${key}.`);
}
