import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServer } from "../../../test/browser/fake-server.ts";
import { find, findAll, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

let server: FakeServer;
beforeEach(() => {
  localStorage.clear();
  server = new FakeServer().install();
});
afterEach(() => {
  document.body.replaceChildren();
  server.uninstall();
});

/** Who is listed, each with what stands below the name. */
const listed = (element: MeetAiRoom) =>
  findAll(element, ".people li").map((row) => [
    row.querySelector("bdi")?.textContent,
    row.querySelector("small")?.textContent,
  ]);

const ALL = [
  ["swift-otter", undefined],
  ["calm-newt/cron", "looks in now and then"],
  ["swift-otter/claude", "reads along"],
  ["swift-otter/codex", "wakes when mentioned"],
];

function roomWithAgents() {
  const room = server.room("lobby").fill(1);
  room.people = ["swift-otter", "swift-otter/claude", "swift-otter/codex"];
  room.agents = { "swift-otter/codex": "wakes", "calm-newt/cron": "polls" };
  return room;
}

describe("who is here", () => {
  it("says of each agent how it hears, of those too that are not connected, and of nobody else", async () => {
    const room = roomWithAgents();
    const { element } = mount(server);
    element.showsPeople = true;
    await until(() => findAll(element, ".people small").length === 3);
    expect(listed(element)).toEqual(ALL);
    room.update({ presence: { agents: { "calm-newt/cron": null, "swift-otter/codex": null } } });
    await until(() => findAll(element, ".people li").length === 3);
    expect(listed(element)).toEqual([
      ALL[0],
      ["swift-otter/claude", "reads along"],
      ["swift-otter/codex", "reads along"],
    ]);
  });

  it.each([
    ["de", ["schaut ab und zu herein", "liest mit", "wacht bei Erwähnung auf"]],
    ["ar", ["يمرّ من حين إلى آخر", "يتابع الآن", "يستيقظ عند ذكره"]],
  ])("says so in %s", async (lang, words) => {
    roomWithAgents();
    const { element } = mount(server, { lang });
    element.showsPeople = true;
    await until(() => findAll(element, ".people small").some(({ textContent }) => textContent === words[0]));
    expect(findAll(element, ".people small").map(({ textContent }) => textContent)).toEqual(words);
  });

  it.each(["light", "dark"])("is accessible, and stays within a narrow element, %s", async (theme) => {
    roomWithAgents();
    const { element } = mount(server, { theme }, { width: 320, height: 480 });
    element.showsPeople = true;
    await until(() => findAll(element, ".people small").length === 3);
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    const people = find(element, "meet-ai-people") as HTMLElement;
    expect(people.scrollWidth).toBeLessThanOrEqual(people.clientWidth);
  });

  it("is not rendered anew for a message", async () => {
    const room = roomWithAgents();
    const { element } = mount(server);
    element.showsPeople = true;
    await until(() => findAll(element, ".people small").length === 3);
    const changes = new MutationObserver(() => {});
    changes.observe(find(element, "meet-ai-people") as HTMLElement, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    room.say("amber-fox", "One more");
    await until(() => findAll(element, "meet-ai-message").length === 2);
    expect(changes.takeRecords()).toEqual([]);
  });
});

describe("who mentions an agent that does not hear", () => {
  /** Says something, as a person who types it. */
  async function say(element: MeetAiRoom, text: string) {
    const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  }
  const noticeOf = (element: MeetAiRoom) => find(element, ".below .notice")?.textContent?.trim();

  it.each([
    ["en", "@calm-newt/cron is not listening here. It may read this later, or never."],
    ["de", "@calm-newt/cron hört hier gerade nicht zu."],
    ["ar", "لا يتابع الآن: @calm-newt/cron"],
  ])("is told so below the field and aloud, until they say something else (%s)", async (lang, words) => {
    const room = server.room("lobby").fill(1);
    room.deaf = ["calm-newt/cron"];
    const { element } = mount(server, { lang, key: "mai_12345678" });
    await until(() => find(element, ".composer") && find(element, ".room")?.lang === lang);
    await say(element, "@calm-newt/cron are you there?");
    await until(() => noticeOf(element) === words);
    await until(() => find(element, ".spoken")?.textContent?.includes(words));
    await say(element, "Well.");
    await until(() => room.log.length === 3 && noticeOf(element) === "");
  });
});
