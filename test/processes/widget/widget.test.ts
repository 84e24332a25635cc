/** `<meet-ai-room>` in strangers' pages, in a real Chromium, with the real server behind it. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { INJECTED_CALL, INJECTED_HOST, MESSAGE_INJECTIONS, NAME_INJECTIONS } from "../../injections.ts";
import { type Key, newRoomId, Visitor } from "../security/visitor.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import {
  bannerSays,
  contents,
  field,
  hostPage,
  launch,
  message,
  noticeSays,
  room,
  STRICT_POLICY,
  say,
} from "./page.ts";

let server: Server;
let browser: Browser;
let visitor: Visitor;
let owner: Key;
let context: BrowserContext;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = new Visitor(server);
  owner = await visitor.makeKey();
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 900, height: 700 } });
});

/** Says something over HTTP, as an agent does. */
const post = (id: string, content: string, more: Record<string, unknown> = {}) =>
  visitor.call("POST", `/api/rooms/${id}/messages`, { key: owner.key, body: { content, ...more } });

async function newRoom(): Promise<string> {
  return visitor.makeRoom(owner.key);
}

describe("under the strictest policy", () => {
  it("reads, writes, replies, completes, deletes and lists people without one violation or foreign request", async () => {
    const id = await newRoom();
    await post(
      id,
      "# Title\n\nText with `code`, **weight** and https://example.com\n\n```ts\nconst x: number = 1;\n```",
      { as: "claude" },
    );
    await post(
      id,
      "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n- [ ] not done\n\n![image](https://example.com/x.png)",
    );
    await post(id, "A long one. ".repeat(400));
    const { page, complaints, requests } = await hostPage(context, server, room(id));
    await page.locator("meet-ai-message figure span").first().waitFor();
    await say(page, "Hello from a page");
    await message(page, "Hello from a page").waitFor();
    await page.locator("meet-ai-room .here").click();
    await page.locator("meet-ai-people li").first().waitFor();
    await field(page).pressSequentially("@cla");
    await page.locator("meet-ai-room .names li").first().waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await message(page, `@${owner.handle}/claude`).waitFor();
    await message(page, "A long one.").hover();
    await message(page, "A long one.").getByRole("button", { name: "Reply" }).click();
    await say(page, "In answer");
    await page.locator("meet-ai-message .quote").waitFor();
    await message(page, "Hello from a page").hover();
    await message(page, "Hello from a page").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for everybody?" }).click();
    await page.getByText("This message has been deleted.").waitFor();
    await page.locator("meet-ai-room .help").click();
    // The list of shortcuts lies over the log.
    await page.locator("meet-ai-room .help").click();
    await page.getByRole("button", { name: "Copy", exact: true }).first().click();
    expect(complaints).toEqual([]);
    const origins = new Set(requests.map((url) => new URL(url).origin).filter((origin) => origin !== "null"));
    expect([...origins]).toEqual([server.url]);
  });

  it("a page of another origin needs to add that one origin, and nothing else", async () => {
    const id = await newRoom();
    await post(id, "Across origins, with `code`");
    const origin = server.url;
    const policy = STRICT_POLICY.replace("script-src 'self'", `script-src ${origin}`).replace(
      "connect-src 'self'",
      `connect-src ${origin} ${origin.replace("http", "ws")}`,
    );
    const html = `<!doctype html><title>Elsewhere</title>${room(id)}
      <script type="module" src="${origin}/widget.js"></script>`;
    const elsewhere = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy }).end(html);
    }).listen(0);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    await page.locator("meet-ai-message code").waitFor();
    await say(page, "From elsewhere");
    await message(page, "From elsewhere").waitFor();
    elsewhere.close();
    expect(complaints).toEqual([]);
  });
});

describe("in a page that underlines everything", () => {
  it("nothing inside is underlined", async () => {
    const id = await newRoom();
    await post(id, "Text with `code` and **weight**\n\n- a list\n\n| a | b |\n|---|---|\n| 1 | 2 |");
    const { page } = await hostPage(context, server, room(id));
    await page.locator("meet-ai-message .prose").waitFor();
    await field(page).waitFor();
    const look = async (css: string) => {
      await page.evaluate((css) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        document.adoptedStyleSheets = [sheet];
      }, css);
      return page.locator("meet-ai-room").screenshot({ animations: "disabled" });
    };
    // A room that has just opened may change between two looks.
    await until("it looks as it does in a calm page", async () =>
      (await look("* { text-decoration: underline wavy red 4px !important }")).equals(await look("")),
    );
  });
});

describe("opening", () => {
  it.each([
    ["comes in time: they are set once", true],
    ["does not: they are shown as they are until it has", false],
  ])("messages wait a moment for a renderer that is late, and if it %s", async (_, comesInTime) => {
    const id = await newRoom();
    await post(id, "Some **weight**");
    // Time stands still, so that the moment lasts until the test ends it.
    await context.clock.install();
    await context.clock.pauseAt(Date.now() + 60_000);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await context.route("**/assets/log-renderer-*.js", (route) => released.then(() => route.continue()));
    await context.addInitScript(() => {
      addEventListener("meet-ai-message", () => Object.assign(globalThis, { hasMessages: true }));
    });
    const { page } = await hostPage(context, server, room(id));
    // A timer begins the connection.
    while (!(await page.evaluate(() => "hasMessages" in globalThis))) await context.clock.runFor(1);
    expect(await page.locator("meet-ai-message").count()).toBe(0);
    if (!comesInTime) {
      await context.clock.runFor(100);
      await page.locator("meet-ai-message .unrendered").getByText("Some **weight**").waitFor();
    }
    release();
    await page.locator("meet-ai-message .prose strong").waitFor();
    expect(await page.locator("meet-ai-message .unrendered").count()).toBe(0);
  });

  it("begins with the renderer's request, before the script has defined anything", async () => {
    await context.addInitScript(() => {
      customElements.define = () => {
        throw new Error("Nothing is defined here.");
      };
    });
    const requested = context.waitForEvent("request", (request) => /assets\/log-renderer-/.test(request.url()));
    const { complaints } = await hostPage(context, server, room("lobby"));
    await requested;
    expect(complaints).toEqual(["Error: Nothing is defined here."]);
  });

  it("is nothing that a second copy of the script, or a page without what it takes, would hear of", async () => {
    const id = await newRoom();
    await post(id, "Hello");
    // Trusted Types allow one policy of a name.
    const policy = "script-src 'self'";
    const twice = '<script type="module" src="/widget.js?copy"></script><form name="implementation"></form>';
    const { page, complaints } = await hostPage(context, server, twice + room(id), { policy });
    await message(page, "Hello").waitFor();
    const without = await hostPage(context, server, twice, { policy, path: "/host-page-without-room" });
    const idle = () => new Promise<void>((resolve) => requestIdleCallback(() => resolve()));
    for (const each of [page, without.page]) await each.evaluate(idle);
    expect([...complaints, ...without.complaints]).toEqual([]);
  });

  it("ends in a frame without a height", async () => {
    const id = await newRoom();
    for (const text of ["One", "Two", "Three"]) await post(id, text);
    await context.route("**/framed", (route) =>
      route.fulfill({ contentType: "text/html", body: `${room(id)}<script type="module" src="/widget.js"></script>` }),
    );
    const hidden = '<iframe src="/framed" style="display: none"></iframe>';
    const { page } = await hostPage(context, server, hidden, { policy: "script-src 'self'" });
    await expect.poll(() => page.frameLocator("iframe").locator("meet-ai-message").count()).toBe(3);
  });

  it("in a page that has no room yet is rehearsed where nobody sees it", async () => {
    await context.addInitScript(() => {
      const { implementation } = document;
      const create = implementation.createHTMLDocument;
      implementation.createHTMLDocument = () => {
        const unseen = create.call(implementation);
        Object.assign(globalThis, { unseen });
        return unseen;
      };
    });
    const { page, complaints, requests } = await hostPage(context, server, "");
    const before = await page.content();
    await expect
      .poll(() =>
        page.evaluate(
          () => (globalThis as { unseen?: Document }).unseen?.querySelectorAll("meet-ai-message .prose").length,
        ),
      )
      .toBe(3);
    expect(await page.content()).toBe(before);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !/\/(host-page|widget\.js|assets\/log-renderer-[^/]+\.js)$/.test(url))).toEqual([]);
  });
});

describe("strangers' text", () => {
  it(`${MESSAGE_INJECTIONS.length} messages that try to be something else are shown, and do nothing`, async () => {
    expect(MESSAGE_INJECTIONS.length).toBeGreaterThanOrEqual(200);
    const id = await newRoom();
    for (const [index, content] of MESSAGE_INJECTIONS.entries()) {
      const { status } = await post(id, content, { id: `injection-${index}` });
      // An empty one, after trimming, is refused before it is anybody's text.
      expect([201, 400]).toContain(status);
    }
    const { page, complaints, requests } = await hostPage(context, server, room(id), {
      // A policy would hide what the widget lets through.
      policy: "object-src 'none'",
    });
    await page.locator("meet-ai-message").first().waitFor();
    const seen = new Set<string>();
    await until("the first of them is in view", async () => {
      const found = await page.evaluate(() => {
        const root = document.querySelector("meet-ai-room")?.shadowRoot as ShadowRoot;
        const scroller = root.querySelector(".scroller") as HTMLElement;
        scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
        scroller.scrollTop = 0;
        const links = [...root.querySelectorAll("meet-ai-message a")] as HTMLAnchorElement[];
        return {
          seqs: [...root.querySelectorAll<HTMLElement>("meet-ai-message")].map(({ dataset }) => dataset.seq ?? ""),
          links: links.map(({ href, target, rel }) => ({ href, target, rel })),
          elements: root.querySelectorAll(
            "meet-ai-message :is(script, iframe, img, object, embed, video, audio, link, style, base, meta)",
          ).length,
        };
      });
      expect(found.elements).toBe(0);
      for (const { href, target, rel } of found.links) {
        expect(href).toMatch(/^(https?|mailto):/);
        expect(target).toBe("_blank");
        expect(rel).toContain("noopener");
      }
      for (const seq of found.seqs) seen.add(seq);
      return seen.has("1");
    });
    expect(seen.size).toBeGreaterThanOrEqual(200);
    expect(await page.evaluate((name) => name in globalThis, INJECTED_CALL)).toBe(false);
    expect(requests.filter((url) => new URL(url).hostname.endsWith(INJECTED_HOST))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("names of rooms that try the same are text", async () => {
    const id = await newRoom();
    const { page, complaints, requests } = await hostPage(context, server, room(id), { policy: "object-src 'none'" });
    await page.locator("meet-ai-room h2").waitFor();
    let last = "";
    for (const name of NAME_INJECTIONS) {
      const { status, body } = await visitor.call("PATCH", `/api/rooms/${id}`, {
        key: owner.key,
        body: { name, topic: name },
      });
      if (status === 200) last = body.name;
    }
    await until("the last name is shown", async () => (await page.locator("meet-ai-room h2").textContent()) === last);
    expect(await page.evaluate((name) => name in globalThis, INJECTED_CALL)).toBe(false);
    expect(requests.filter((url) => new URL(url).hostname.endsWith(INJECTED_HOST))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe("trouble", () => {
  it("a reload keeps the name, the unfinished text and the room", async () => {
    const id = await newRoom();
    const { page } = await hostPage(context, server, room(id));
    await say(page, "Before the reload");
    await page.locator("meet-ai-message.kept", { hasText: "Before the reload" }).waitFor();
    const name = await field(page).getAttribute("aria-label");
    await field(page).fill("Half a sentence");
    await page.reload();
    await message(page, "Before the reload").waitFor();
    await page.waitForFunction((label) => {
      const root = document.querySelector("meet-ai-room")?.shadowRoot;
      return root?.querySelector("textarea")?.getAttribute("aria-label") === label;
    }, name);
    expect(await field(page).inputValue()).toBe("Half a sentence");
  });

  it("a killed server: a banner, what is written waits, and goes out once and in order when it is back", async () => {
    await using mortal = await Server.start();
    const { page, complaints } = await hostPage(context, mortal, room("lobby"));
    await say(page, "Before");
    await page.locator("meet-ai-message.kept", { hasText: "Before" }).waitFor();
    await page.waitForFunction(() =>
      ["meet-ai-message-tools", "meet-ai-people"].every((name) => customElements.get(name)),
    );
    await mortal.kill();
    await bannerSays(page, "Not connected.");
    // What a person needs to answer is there, though the server is not.
    await message(page, "Before").hover();
    await message(page, "Before").getByRole("button", { name: "Reply" }).waitFor();
    await page.locator("meet-ai-room .here").click();
    await page.getByRole("heading", { name: "Who is here" }).waitFor();
    await page.keyboard.press("Escape");
    for (const text of ["one", "two", "three"]) await say(page, text);
    await until("all wait", async () => (await page.locator("meet-ai-message.queued").count()) === 3);
    await mortal.start();
    await until("all are kept", async () => (await page.locator("meet-ai-message.kept").count()) === 4);
    expect(await contents(page)).toEqual(["Before", "one", "two", "three"]);
    const { body } = await new Visitor(mortal).call("GET", "/api/rooms/lobby/messages");
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(["Before", "one", "two", "three"]);
    expect(complaints).toEqual([]);
  });

  it("a deleted room says so, at once and to those who come later", async () => {
    const id = await newRoom();
    const { page } = await hostPage(context, server, room(id));
    await page.locator("meet-ai-room .dot.open").waitFor();
    await visitor.call("DELETE", `/api/rooms/${id}`, { key: owner.key });
    await bannerSays(page, "deleted");
    await page.reload();
    await bannerSays(page, "There is no such room");
  });

  it("a revoked key says so", async () => {
    const id = await newRoom();
    const mine = await visitor.makeKey();
    const { page } = await hostPage(context, server, room(id));
    await page.evaluate((key) => {
      (document.querySelector("meet-ai-room") as HTMLElement & { key: string }).key = key;
    }, mine.key);
    await say(page, "With a key");
    await page.locator("meet-ai-message.kept", { hasText: mine.handle }).waitFor();
    await visitor.call("DELETE", "/api/keys/me", { key: mine.key });
    await bannerSays(page, "This key is not valid");
  });

  it("somebody who is muted reads why, and keeps their text", async () => {
    const id = await newRoom();
    const { page } = await hostPage(context, server, room(id));
    await say(page, "Heard");
    await page.locator("meet-ai-message.kept").waitFor();
    const label = (await field(page).getAttribute("aria-label")) ?? "";
    const sender = encodeURIComponent(label.slice(label.indexOf("~")));
    await visitor.call("PUT", `/api/rooms/${id}/mutes/${sender}`, { key: owner.key, body: {} });
    await say(page, "Not heard");
    await page.locator("meet-ai-message.failed").waitFor();
    await noticeSays(page, "muted");
    await visitor.call("DELETE", `/api/rooms/${id}/mutes/${sender}`, { key: owner.key });
    await page.getByRole("button", { name: "Send again" }).click();
    await until("it is kept", async () => (await page.locator("meet-ai-message.kept").count()) === 2);
  });

  it("a room that becomes read-only for guests shows it live", async () => {
    const id = await newRoom();
    const { page } = await hostPage(context, server, room(id));
    await field(page).waitFor();
    await visitor.call("PATCH", `/api/rooms/${id}`, { key: owner.key, body: { guests: "read" } });
    await page.getByText("In this room only people with a key can write.").waitFor();
    expect(await field(page).count()).toBe(0);
  });

  it("over quota: what does not fit waits with a countdown, and goes out by itself", async () => {
    await using narrow = await Server.start({ vars: { GUEST_MESSAGES_PER_MINUTE: "2" } });
    const page = (await hostPage(context, narrow, room("lobby"))).page;
    for (const text of ["one", "two", "three"]) await say(page, text);
    await page.locator("meet-ai-message.held").waitFor();
    await noticeSays(page, /send again in \d+ s/);
    await say(page, "four");
    expect(await field(page).inputValue()).toBe("four");
    // After the minute of the quota.
    await until("the third is kept", async () => (await page.locator("meet-ai-message.kept").count()) === 3, 150_000);
    expect(await contents(page)).toEqual(["one", "two", "three"]);
  });
});

describe("two people in two browsers", () => {
  it("see each other write, speak and leave", async () => {
    const id = newRoomId();
    await visitor.call("POST", "/api/rooms", { key: owner.key, body: { id, name: "Two" } });
    const other = await browser.newContext();
    const first = (await hostPage(context, server, room(id))).page;
    const second = (await hostPage(other, server, room(id))).page;
    await field(second).pressSequentially("Hello");
    await first.locator("meet-ai-room .writers", { hasText: "is writing…" }).waitFor();
    await field(second).press("Enter");
    await message(first, "Hello").waitFor();
    await first.locator("meet-ai-room .here").click();
    await until("the other is listed", async () => (await first.locator("meet-ai-people li").count()) === 1);
    await other.close();
    await until("and gone", async () => (await first.locator("meet-ai-people li").count()) === 0);
  });
});
