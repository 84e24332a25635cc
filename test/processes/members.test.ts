/** Rooms of members in a browser, against the real server: how people come in, what others see, and who decides. */

import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

let server: Server;
let visitor: Visitor;
let visitors: Visitors;
let owner: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  visitors = await Visitors.of(server.url);
  owner = await visitor.makeKey();
});

afterAll(async () => {
  await visitors?.close();
  await server?.remove();
});

afterEach(async () => {
  expect(await visitors.leave()).toEqual([]);
});

const SECRET = "what only members know";

/** A room of members with something in it. */
async function den(): Promise<string> {
  const { body } = await visitor.call("POST", "/api/rooms", {
    key: owner.key,
    body: { name: "The den", access: "members" },
  });
  const { id } = body as { id: string };
  await visitor.say(id, owner.key, SECRET);
  return id;
}

/** The secret of a new invite into `room`. */
async function invite(room: string, wish: object = {}): Promise<string> {
  const { status, body } = await visitor.call("POST", `/api/rooms/${room}/invites`, { key: owner.key, body: wish });
  expect(status).toBe(201);
  return (body as { secret: string }).secret;
}

/** The page of `room`, for the person with this key. */
async function pageWith(key: string, room: string): Promise<Page> {
  const page = await visitors.newcomer();
  await page.addInitScript(
    ([kept]) => sessionStorage.setItem("meet-ai-key", kept as string),
    [JSON.stringify({ key, identity: (await visitor.call("GET", "/api/keys/me", { key })).body })],
  );
  await page.goto(`/r/${room}`);
  return page;
}

const log = (page: Page) => page.locator("meet-ai-room").getByRole("log");

const say = async (page: Page, text: string) => {
  const field = page.locator("meet-ai-room textarea");
  await field.fill(text);
  await field.press("Enter");
};

describe("an invited guest", () => {
  it("reads and writes by the link alone, whose secret leaves the address at once and is sent to no other place", async () => {
    const id = await den();
    const secret = await invite(id);
    const page = await visitors.newcomer();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.url()} ${request.postData() ?? ""}`));
    await page.goto(`/r/${id}#invite=${secret}`);
    await log(page).getByText(SECRET).waitFor();
    expect(await page.evaluate(() => location.href)).toBe(`${server.url}/r/${id}`);
    await expect.poll(() => page.title()).toBe("The den · meet-ai");
    await say(page, "Thank you for having me");
    await until("the guest's message is kept", async () => {
      const { body } = await visitor.call("GET", `/api/rooms/${id}/messages`, { key: owner.key });
      return JSON.stringify(body).includes("Thank you for having me");
    });
    expect(asked.join("\n")).not.toContain(secret);
    // Kept by the browser alone, with the guest's own secret: by both a key gets the place later.
    const stored = await page.evaluate(() => {
      const rest = Object.entries(localStorage).filter(([name]) => !name.startsWith("meet-ai:invite:"));
      return JSON.stringify([rest, { ...sessionStorage }]);
    });
    expect(stored).not.toContain(secret);
    // They are the same guest after a reload, and the invite was for one.
    await page.reload();
    await log(page).getByText("Thank you for having me").waitFor();
    const late = await visitors.newcomer();
    await late.goto(`/r/${id}#invite=${secret}`);
    await late.getByText("This invite has expired, is used up or was revoked.").waitFor();
    expect(await late.content()).not.toContain("The den");
  });

  it("is a member no more when the invite is revoked, and is shown nothing any more", async () => {
    const id = await den();
    const secret = await invite(id);
    const page = await visitors.newcomer();
    await page.goto(`/r/${id}#invite=${secret}`);
    await log(page).getByText(SECRET).waitFor();
    const { body } = await visitor.call("GET", `/api/rooms/${id}/invites`, { key: owner.key });
    const [made] = (body as { invites: { id: string }[] }).invites;
    await visitor.call("DELETE", `/api/rooms/${id}/invites/${made?.id}`, { key: owner.key });
    await page.getByText("This room is for its members.").waitFor();
    expect(await page.locator("meet-ai-room").getByText(SECRET).count()).toBe(0);
    await expect.poll(() => page.title()).toBe("A room for its members · meet-ai");
  });

  it("follows a link that is put into the tab in which the room is closed to them", async () => {
    const id = await den();
    const page = await visitors.newcomer();
    await page.goto(`/r/${id}`);
    await page.getByText("This room is for its members.").waitFor();
    const secret = await invite(id);
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `invite=${secret}`);
    await log(page).getByText(SECRET).waitFor();
    expect(await page.evaluate(() => location.href)).not.toContain(secret);
  });
});

describe("a room of members", () => {
  it("says to others only that it is one, and leads a member to their key", async () => {
    const id = await den();
    const member = await visitor.makeKey();
    await visitor.call("PUT", `/api/rooms/${id}/members/${member.handle}`, {
      key: owner.key,
      body: { role: "member" },
    });
    const page = await visitors.newcomer();
    await page.goto(`/r/${id}`);
    await page.getByText("This room is for its members.").waitFor();
    expect(await page.content()).not.toContain("The den");
    expect(await page.locator("meet-ai-room textarea").count()).toBe(0);
    await page.locator("meet-ai-room").getByRole("link", { name: "Use a key" }).click();
    await page.getByLabel("Your key").fill(member.key);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.locator("dialog[open] .handle").waitFor();
    await page.keyboard.press("Escape");
    await log(page).getByText(SECRET).waitFor();
    await expect.poll(() => page.title()).toBe("The den · meet-ai");
  });

  it("is closed by its owner in the settings, at which visitors have to leave", async () => {
    const id = await visitor.makeRoom(owner.key);
    await visitor.say(id, owner.key, SECRET);
    const watcher = await visitors.newcomer();
    await watcher.goto(`/r/${id}`);
    await log(watcher).getByText(SECRET).waitFor();
    const page = await pageWith(owner.key, id);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("radio", { name: /^Members/ }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("dialog[open]").getByText("Saved.").waitFor();
    await watcher.getByText("This room is for its members.").waitFor();
    expect(await watcher.locator("meet-ai-room").getByText(SECRET).count()).toBe(0);
    await page.keyboard.press("Escape");
    await log(page).getByText(SECRET).waitFor();
  });

  it("has its members and invites in the settings: added, raised, invited, removed", async () => {
    const id = await den();
    const member = await visitor.makeKey();
    const page = await pageWith(owner.key, id);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "People" }).click();
    const settings = page.locator("dialog[open]");
    await settings.getByLabel("Add a person with a key").fill("nobody-of-this-name");
    await settings.getByRole("button", { name: "Add" }).click();
    await settings.getByText("There is nobody with a key of this name.").waitFor();
    await settings.getByLabel("Add a person with a key").fill(member.handle);
    await settings.getByRole("button", { name: "Add" }).click();
    await settings.getByText(`${member.handle} is a member now.`).waitFor();
    await settings.getByLabel(`What ${member.handle} is here`).selectOption("moderator");
    await settings.getByText(`${member.handle} is a moderator now.`).waitFor();
    expect(
      (await visitor.call("GET", `/api/rooms/${id}/members/${member.handle}`, { key: owner.key })).body,
    ).toMatchObject({
      role: "moderator",
    });
    // A role that the server did not give is not shown either.
    const role = settings.getByLabel(`What ${member.handle} is here`);
    await page.route("**/members/*", (route) => route.abort());
    await role.selectOption("reader");
    await settings.getByRole("alert").waitFor();
    expect(await role.inputValue()).toBe("moderator");
    await page.unroute("**/members/*");

    await settings.getByLabel("How many people").fill("2");
    await settings.getByRole("button", { name: "Make an invite" }).click();
    const link = (await settings.locator(".invite-link code").textContent()) ?? "";
    expect(link).toContain(`/r/${id}#invite=inv_`);
    await settings.locator(".invite-link").getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(link);
    const guest = await visitors.newcomer();
    await guest.goto(link);
    await log(guest).getByText(SECRET).waitFor();
    // The link is shown once.
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "People" }).click();
    await settings.getByText("1 of 2 used").waitFor();
    expect(await settings.locator(".invite-link").count()).toBe(0);
    await settings.getByRole("button", { name: /^Revoke/ }).click();
    await guest.getByText("This room is for its members.").waitFor();

    await settings.getByRole("button", { name: `Remove ${member.handle}` }).click();
    await settings.getByText(`${member.handle} is no member any more.`).waitFor();
    expect((await visitor.call("GET", `/api/rooms/${id}/messages`, { key: member.key })).status).toBe(403);
  });

  it("is handed over: the new owner has all settings, the old one those of a moderator", async () => {
    const id = await den();
    const heir = await visitor.makeKey();
    await visitor.call("PUT", `/api/rooms/${id}/members/${heir.handle}`, { key: owner.key, body: { role: "member" } });
    const [page, theirs] = [await pageWith(owner.key, id), await pageWith(heir.key, id)];
    await log(theirs).getByText(SECRET).waitFor();
    expect(await theirs.getByRole("button", { name: "Settings" }).count()).toBe(0);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "People" }).click();
    const settings = page.locator("dialog[open]");
    await settings.getByLabel("New owner").fill(heir.handle);
    await settings.getByRole("button", { name: "Hand over…" }).click();
    await settings.getByRole("button", { name: "Keep it" }).click();
    await settings.getByRole("button", { name: "Hand over…" }).click();
    await settings.getByRole("button", { name: `Hand it to ${heir.handle}` }).click();
    await expect
      .poll(() =>
        settings
          .getByRole("tab")
          .allTextContents()
          .then((all) => all.map((one) => one.trim())),
      )
      .toEqual(["People", "Moderation"]);
    await theirs.getByRole("button", { name: "Settings" }).click();
    await theirs.getByRole("tab", { name: "Data" }).waitFor();
    // Both come back into the room by themselves, and talk on.
    for (const [one, text] of [
      [page, "It is yours"],
      [theirs, "Thank you"],
    ] as const) {
      await one.keyboard.press("Escape");
      await say(one, text);
    }
    await log(page).getByText("Thank you").waitFor();
    await log(theirs).getByText("It is yours").waitFor();
  });
});

describe("a moderator", () => {
  it("mutes a troll from the menu of a message, sees for how long yet, and lets them write again", async () => {
    const id = await visitor.makeRoom(owner.key);
    const moderator = await visitor.makeKey();
    await visitor.call("PUT", `/api/rooms/${id}/members/${moderator.handle}`, {
      key: owner.key,
      body: { role: "moderator" },
    });
    const troll = await visitors.newcomer();
    await troll.goto(`/r/${id}`);
    await say(troll, "You are all wrong");
    const page = await pageWith(moderator.key, id);
    const message = page.locator("meet-ai-message", { hasText: "You are all wrong" });
    await message.waitFor();
    const name = (await message.locator(".sender").textContent()) ?? "";
    await message.hover();
    await message.getByRole("button", { name: `Mute ${name}` }).click();
    await message.getByRole("button", { name: "For 1 hour" }).click();
    await message.getByText(`${name} is muted.`).waitFor();
    await say(troll, "And you will hear it");
    await troll
      .getByText("The room's owner has muted you here.")
      .or(troll.getByText("You are muted here."))
      .first()
      .waitFor();

    await page.locator("meet-ai-room .here").click();
    await page.locator("meet-ai-room").getByRole("button", { name: "Moderation" }).click();
    await page.getByText(/^(60|5\d) minutes left$/).waitFor();
    await page.getByRole("button", { name: `Unmute: ${name}` }).click();
    await page.getByText("Nobody is muted.").waitFor();
    // Nobody has told them so: they find out by trying.
    await troll.getByRole("button", { name: "Send again" }).click();
    await log(page).getByText("And you will hear it").waitFor();
  });

  it("deletes everything that a sender has said, once they have said so twice", async () => {
    const id = await visitor.makeRoom(owner.key);
    const moderator = await visitor.makeKey();
    await visitor.call("PUT", `/api/rooms/${id}/members/${moderator.handle}`, {
      key: owner.key,
      body: { role: "moderator" },
    });
    const troll = await visitors.newcomer();
    await troll.goto(`/r/${id}`);
    for (const text of ["Buy this", "Buy that"]) await say(troll, text);
    const page = await pageWith(moderator.key, id);
    const message = page.locator("meet-ai-message", { hasText: "Buy that" });
    await message.hover();
    await message.getByRole("button", { name: /^Mute / }).click();
    await message.getByRole("button", { name: "Delete all of it…" }).click();
    await message.getByRole("button", { name: "Delete everything" }).click();
    await expect.poll(() => page.getByText("This message has been deleted.").count()).toBe(2);
    await expect.poll(() => troll.getByText("This message has been deleted.").count()).toBe(2);
  });

  it("approves a guest's message live, and refuses another, of which its author is told", async () => {
    const id = await visitor.makeRoom(owner.key);
    await visitor.call("PATCH", `/api/rooms/${id}`, { key: owner.key, body: { hold: "guests" } });
    const [guest, page] = [await visitors.newcomer(), await pageWith(owner.key, id)];
    await guest.goto(`/r/${id}`);
    await log(page).waitFor();
    await say(guest, "May I ask something?");
    await log(guest).getByText("A moderator sees it first").waitFor();
    await page.getByRole("button", { name: "1 message waits for you" }).click();
    await page.locator("meet-ai-moderation .text").getByText("May I ask something?").waitFor();
    expect(await log(page).getByText("May I ask something?").count()).toBe(0);
    await page.getByRole("button", { name: /^Approve: ~/ }).click();
    await log(page).getByText("May I ask something?").waitFor();
    await log(guest).locator("meet-ai-message.kept", { hasText: "May I ask something?" }).waitFor();
    await say(guest, "Buy this");
    await page.getByRole("button", { name: /^Refuse: ~/ }).click();
    const refused = log(guest).locator("meet-ai-message", { hasText: "Buy this" }).locator(".delivery");
    await until("the guest sees it", async () => (await refused.allTextContents()).join().includes("Not sent"));
    await page.getByText("Nothing waits.").waitFor();
  });

  it("has rules, mutes with their address and the log in the settings", async () => {
    const id = await visitor.makeRoom(owner.key);
    const guest = await visitors.newcomer();
    await guest.goto(`/r/${id}`);
    await say(guest, "Hello");
    const page = await pageWith(owner.key, id);
    const name = (await page.locator("meet-ai-message .sender").first().textContent()) ?? "";
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Moderation" }).click();
    const settings = page.locator("dialog[open]");
    await settings.getByLabel("Between two messages of one sender").selectOption("30 seconds");
    await settings.getByLabel("A moderator sees first").selectOption("messages of guests");
    await settings.getByLabel("Blocked words").fill("casino\ncheap watches");
    await settings.getByRole("button", { name: "Save rules" }).click();
    await settings.getByText("Saved.").waitFor();
    expect((await visitor.call("GET", `/api/rooms/${id}`, { key: owner.key })).body).toMatchObject({
      slow: 30,
      hold: "guests",
      links: "anyone",
      blocked: ["casino", "cheap watches"],
    });
    await settings.getByLabel("Mute a person, guest or agent").fill(name);
    await settings.getByLabel("Their address, too").check();
    await settings.getByRole("button", { name: "Mute", exact: true }).click();
    await settings.getByText(/^\s*(10|\d) minutes left, with the address\s*$/).waitFor();
    const heir = await visitor.makeKey();
    await visitor.call("PUT", `/api/rooms/${id}/members/${heir.handle}`, { key: owner.key, body: { role: "reader" } });
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Moderation" }).click();
    await settings.getByText("changed the settings").waitFor();
    await settings.getByText(`made ${heir.handle} reader`).waitFor();
    await settings.locator("site-deeds li", { hasText: `muted` }).getByText(name).waitFor();
  });
});
