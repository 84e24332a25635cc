/** Muting, from a message and from the list of who is here, by who may. */

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import type { Role } from "../../../party/protocol.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

const HOUR = 3_600_000;
const GUEST = "~calm-crane-000000";
const KEY = "mai_000000000000000000000000";

/** A room in which a guest has spoken, as its owner sees it, or with `owner: false` anybody else with a key. */
async function roomOf({ owner = true, role, key = KEY }: { owner?: boolean; role?: Role; key?: string } = {}) {
  const room = server.room("lobby");
  room.fill(2, (index) => ({ sender: index === 0 ? GUEST : "swift-otter", content: "Hello" }));
  room.people = [GUEST, "swift-otter", "swift-otter/claude"];
  room.owner = owner;
  room.role = role;
  room.key = KEY;
  const { element } = mount(server);
  element.key = key;
  await until(() => contents(element).length === 2);
  await userEvent.click(await until(() => find(element, "textarea")));
  await until(() => find<HTMLTextAreaElement>(element, "textarea")?.placeholder.includes("swift-otter"));
  return { room, element };
}

const button = (element: MeetAiRoom, name: string) =>
  findAll(element, "button").find((one) => one.title === name || one.textContent?.trim() === name);

/** Presses the button of that name, once it is there. */
const press = async (element: MeetAiRoom, name: string) => (await until(() => button(element, name))).click();

const focused = (element: MeetAiRoom) => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement;

describe("from a message", () => {
  /** Asks for the buttons of a message. */
  async function toolsOf(element: MeetAiRoom, seq: number) {
    find(element, `[data-seq="${seq}"]`)?.focus();
    await until(() => find(element, `[data-seq="${seq}"] .tools button`));
  }

  test("its owner mutes a sender for an hour, and takes it back", async () => {
    const { room, element } = await roomOf();
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await until(() => focused(element)?.textContent === "For 10 minutes");
    expect(room.mutes.size).toBe(0);
    const before = Date.now();
    await press(element, "For 1 hour");
    await until(() => find(element, "meet-ai-mute")?.textContent?.includes(`${GUEST} is muted.`));
    const end = Date.parse(room.mutes.get(GUEST) as string);
    expect(end).toBeGreaterThanOrEqual(before + HOUR);
    expect(end).toBeLessThanOrEqual(Date.now() + HOUR);
    await until(() => find(element, ".spoken")?.textContent === `${GUEST} is muted.`);
    await press(element, "Undo");
    await until(() => !find(element, "meet-ai-mute"));
    expect(room.mutes.size).toBe(0);
    expect(focused(element).dataset.seq).toBe("1");
  });

  test("one who is muted can be unmuted, also an agent that is muted with its person", async () => {
    const { room, element } = await roomOf();
    room.say("amber-fox/claude", "Hello");
    room.mutes.set(GUEST, null).set("amber-fox", null);
    for (const [seq, sender, muted] of [
      [1, GUEST, GUEST],
      [3, "amber-fox/claude", "amber-fox"],
    ] as const) {
      await toolsOf(element, seq);
      await press(element, `Mute ${sender}`);
      await until(() => focused(element)?.textContent === "Unmute");
      expect(find(element, "meet-ai-mute")?.textContent).toContain(`${muted} is muted.`);
      await press(element, "Unmute");
      await until(() => !find(element, "meet-ai-mute"));
      expect(room.mutes.has(muted)).toBe(false);
    }
  });

  test("one whose mute has ended is asked about, and so is everybody while the server does not answer", async () => {
    const { room, element } = await roomOf();
    room.mutes.set(GUEST, new Date(0).toISOString());
    for (const key of [KEY, "another"]) {
      room.key = key;
      await toolsOf(element, 1);
      await press(element, `Mute ${GUEST}`);
      await until(() => focused(element)?.textContent === "For 10 minutes");
      await userEvent.keyboard("{Escape}");
      await until(() => !find(element, "meet-ai-mute"));
    }
  });

  test("Escape leaves everybody as they are", async () => {
    const { room, element } = await roomOf();
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await until(() => focused(element)?.textContent === "For 10 minutes");
    await userEvent.keyboard("{Escape}");
    await until(() => !find(element, "meet-ai-mute"));
    expect(focused(element).dataset.seq).toBe("1");
    expect(room.mutes.size).toBe(0);
  });

  test("what the server refuses is said, and can be tried again", async () => {
    const { room, element } = await roomOf();
    room.key = "another";
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await press(element, "Forever");
    await until(() => find(element, "meet-ai-mute")?.textContent?.includes("The server did not do it."));
    room.key = KEY;
    await press(element, "Forever");
    await until(() => room.mutes.get(GUEST) === null);
  });

  test("in a narrow room what closes the question stands beside it", async () => {
    const { element } = await roomOf();
    (element.parentElement as HTMLElement).style.width = "360px";
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await until(() => button(element, "For 10 minutes"));
    const box = (selector: string) => find(element, `meet-ai-mute ${selector}`)?.getBoundingClientRect() as DOMRect;
    const [question, close, answer] = [box("span"), box(".close"), box("label")];
    expect(close.top).toBeLessThan(question.bottom);
    expect(close.left).toBeGreaterThanOrEqual(question.right - 1);
    expect(answer.top).toBeGreaterThanOrEqual(close.bottom - 1);
  });

  test("for ten minutes, too", async () => {
    const { room, element } = await roomOf();
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    const before = Date.now();
    await press(element, "For 10 minutes");
    await until(() => room.mutes.has(GUEST));
    const end = Date.parse(room.mutes.get(GUEST) as string);
    expect(end).toBeGreaterThanOrEqual(before + HOUR / 6);
    expect(end).toBeLessThanOrEqual(Date.now() + HOUR / 6);
    // Nobody else behind the address, unless that is ticked.
    expect([...room.mutedAddresses]).toEqual([]);
  });

  test("a moderator does what an owner does, and may delete what others said", async () => {
    const { room, element } = await roomOf({ owner: false, role: "moderator" });
    await toolsOf(element, 1);
    expect(button(element, "Delete")).toBeDefined();
    await press(element, `Mute ${GUEST}`);
    await press(element, "Forever");
    await until(() => room.mutes.get(GUEST) === null);
  });

  test("everything by a sender is deleted once that is asked for again", async () => {
    const { room, element } = await roomOf();
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await press(element, "Delete all of it…");
    await until(() => focused(element)?.textContent === "Cancel");
    expect(find(element, "meet-ai-mute")?.textContent).toContain(`Delete everything by ${GUEST}, with their agents`);
    await press(element, "Cancel");
    await until(() => focused(element)?.textContent === "For 10 minutes");
    expect(room.log[0]).toMatchObject({ sender: GUEST, content: "Hello" });
    await press(element, "Delete all of it…");
    await press(element, "Delete everything");
    await until(() => room.log[0]?.deleted);
    await until(() => find(element, ".spoken")?.textContent === `Everything by ${GUEST} is deleted.`);
    await until(() => contents(element)[0] === "This message has been deleted.");
    await until(() => focused(element)?.dataset.seq === "2");
  });

  test("what the server does not delete is said", async () => {
    const { room, element } = await roomOf();
    room.key = "another";
    await toolsOf(element, 1);
    await press(element, `Mute ${GUEST}`);
    await press(element, "Delete all of it…");
    await press(element, "Delete everything");
    await until(() => find(element, "meet-ai-mute")?.textContent?.includes("The server did not do it."));
    expect(room.log[0]).toMatchObject({ sender: GUEST, content: "Hello" });
  });

  test("nobody mutes themselves, and only who decides here mutes", async () => {
    const { element } = await roomOf();
    await toolsOf(element, 2);
    expect(button(element, "Mute swift-otter")).toBeUndefined();
    element.remove();
    server.rooms.clear();
    const other = await roomOf({ owner: false });
    await toolsOf(other.element, 1);
    expect(button(other.element, `Mute ${GUEST}`)).toBeUndefined();
  });
});

describe("from the list of who is here", () => {
  test("its owner mutes a sender forever", async () => {
    const { room, element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    await press(element, "Forever");
    await until(() => room.mutes.get(GUEST) === null);
    expect(button(element, "Mute swift-otter")).toBeUndefined();
    expect(button(element, "Mute swift-otter/claude")).toBeDefined();
    await press(element, "Undo");
    await until(() => room.mutes.size === 0 && focused(element)?.title === `Mute ${GUEST}`);
  });

  test("a question about another one begins anew", async () => {
    const { room, element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    await press(element, "Forever");
    await until(() => find(element, "meet-ai-mute")?.textContent?.includes(`${GUEST} is muted.`));
    await press(element, "Mute swift-otter/claude");
    await until(() => focused(element)?.textContent === "For 10 minutes");
    expect(find(element, "meet-ai-mute")?.textContent).toContain("Mute swift-otter/claude");
    expect([...room.mutes.keys()]).toEqual([GUEST]);
  });

  test("a question stays as it is when others come, and goes with whom it is about", async () => {
    const { room, element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    const question = await until(() => find(element, "meet-ai-mute"));
    await until(() => focused(element)?.textContent === "For 10 minutes");
    const field = find(element, "textarea") as HTMLElement;
    field.focus();
    room.update({ presence: { joined: ["~brave-ant-000000"] } });
    await until(() => find(element, ".people")?.textContent?.includes("~brave-ant-000000"));
    expect([find(element, "meet-ai-mute"), focused(element)]).toEqual([question, field]);
    room.update({ presence: { left: [GUEST] } });
    await until(() => !find(element, "meet-ai-mute"));
    room.update({ presence: { joined: [GUEST] } });
    await until(() => button(element, `Mute ${GUEST}`));
    expect([find(element, "meet-ai-mute"), focused(element)]).toEqual([null, field]);
  });

  test("a question about another begins without the address", async () => {
    const { room, element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    (await until(() => find(element, "meet-ai-mute input"))).click();
    await press(element, "Mute swift-otter/claude");
    await until(() => find<HTMLInputElement>(element, "meet-ai-mute input")?.checked === false);
    await press(element, "Forever");
    await until(() => room.mutes.has("swift-otter/claude"));
    expect([...room.mutedAddresses]).toEqual([]);
  });

  test("Escape closes the question first, then the list", async () => {
    const { element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    await until(() => focused(element)?.textContent === "For 10 minutes");
    await userEvent.keyboard("{Escape}");
    await until(() => focused(element)?.title === `Mute ${GUEST}`);
    await userEvent.keyboard("{Escape}");
    await until(() => !find(element, ".people"));
  });

  test("nobody else is offered it", async () => {
    const { element } = await roomOf({ owner: false });
    find(element, ".here")?.click();
    await until(() => find(element, ".people .who"));
    expect(find(element, ".people .mute")).toBeNull();
  });
});

describe("what moderators decide", () => {
  test("is behind a button in the list of who is here: who is muted, how long yet, and unmuting", async () => {
    const { room, element } = await roomOf();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    room.mutes.set(GUEST, new Date(Date.now() + HOUR / 2).toISOString()).set("amber-fox", null);
    room.mutes.set("long-over", new Date(0).toISOString());
    find(element, ".here")?.click();
    await press(element, "Moderation");
    const listed = () =>
      findAll(element, "meet-ai-moderation li:has(button)").map(({ textContent }) =>
        textContent?.replace(/\s+/g, " ").trim(),
      );
    await until(() => listed().length === 2);
    expect(listed()).toEqual([`${GUEST} 30 minutes left Unmute`, "amber-fox Forever Unmute"]);
    const unmute = await until(() => find(element, `[aria-label="Unmute: ${GUEST}"]`));
    unmute.focus();
    unmute.click();
    await until(() => listed().length === 1);
    expect([...room.mutes.keys()]).toEqual(["amber-fox", "long-over"]);
    await until(() => focused(element)?.title === "Moderation");
    // The list of who is here is behind the same button, and behind Escape.
    await userEvent.keyboard("{Escape}");
    await until(() => find(element, ".people .who"));
  });

  test("what the server does not do is said", async () => {
    const { room, element } = await roomOf();
    room.key = "another";
    find(element, ".here")?.click();
    await press(element, "Moderation");
    await until(
      () => find(element, "meet-ai-moderation [role=alert]")?.textContent === "The server did not do it. Try again.",
    );
  });

  test("shows more of what was done, once, however often that is asked for", async () => {
    const { room, element } = await roomOf();
    for (let id = 1; id <= 30; id++) {
      room.deeds.unshift({ id, at: new Date().toISOString(), by: "swift-otter", deed: "settings" });
    }
    find(element, ".here")?.click();
    await press(element, "Moderation");
    const more = await until(() => button(element, "Show more"));
    more.click();
    more.click();
    await until(() => !button(element, "Show more"));
    expect(findAll(element, "meet-ai-moderation ul:last-of-type li")).toHaveLength(30);
  });

  test("is not offered against the owner and who else moderates", async () => {
    const { room, element } = await roomOf({ owner: false, role: "moderator" });
    for (const sender of ["amber-fox", "calm-bear", "amber-fox/claude"]) room.say(sender, "Hello");
    room.people = ["amber-fox", "calm-bear", "amber-fox/claude", GUEST, "swift-otter"];
    room.createdBy = "amber-fox";
    room.moderators = ["calm-bear", "swift-otter"];
    element.reconnect();
    find(element, ".here")?.click();
    const offered = () => findAll(element, ".people .mute").map(({ title }) => title);
    // An agent is at most a member, whosever it is.
    await until(() => offered().join() === `Mute amber-fox/claude,Mute ${GUEST}`);
    find(element, `[data-seq="3"]`)?.focus();
    await until(() => find(element, `[data-seq="3"] .tools button`));
    expect([button(element, "Mute amber-fox"), button(element, "Delete")]).toEqual([undefined, undefined]);
    find(element, `[data-seq="1"]`)?.focus();
    await until(() => button(element, "Delete"));
  });

  test("is offered to nobody else", async () => {
    const { element } = await roomOf({ owner: false, role: "member" });
    find(element, ".here")?.click();
    await until(() => find(element, ".people .who"));
    expect(button(element, "Moderation")).toBeUndefined();
  });

  test("what waits is told live, and is approved or refused there", async () => {
    const { room, element } = await roomOf();
    room.hold(GUEST, "See https://example.com");
    (
      await until(
        () => find(element, ".writers button")?.textContent === "1 message waits for you" && find(element, ".waiting"),
      )
    ).click();
    await until(() => find(element, "meet-ai-moderation .text")?.textContent === "See https://example.com");
    await until(() => focused(element)?.title === "Moderation");
    room.hold("~brave-ant-000000", "Buy this");
    await until(() => findAll(element, "meet-ai-moderation .text").length === 2);
    find(element, `[aria-label="Approve: ${GUEST}"]`)?.click();
    await until(() => contents(element).includes("See https://example.com"));
    (await until(() => find(element, '[aria-label="Refuse: ~brave-ant-000000"]'))).click();
    await until(() => find(element, "meet-ai-moderation")?.textContent?.includes("Nothing waits."));
    expect(contents(element)).not.toContain("Buy this");
    expect(find(element, "meet-ai-moderation")?.textContent).toMatch(/swift-otter refused a message ~brave-ant-000000/);
    await until(() => !find(element, ".waiting"));
  });

  test("what is being decided is out of the list, so that no second press is about the next one; undecided, it is back", async () => {
    const { room, element } = await roomOf();
    room.hold(GUEST, "One");
    room.hold(GUEST, "Two");
    (await until(() => find(element, ".waiting"))).click();
    const texts = () => findAll(element, "meet-ai-moderation .text").map(({ textContent }) => textContent);
    await until(() => texts().length === 2);
    let answer: (isThere: boolean) => void = () => {};
    const { fetch: fake } = globalThis;
    globalThis.fetch = async (input, init) => {
      if (init?.method !== "POST") return fake(input, init);
      const isThere = await new Promise<boolean>((resolve) => {
        answer = resolve;
      });
      return isThere ? fake(input, init) : new Response("{}", { status: 503 });
    };
    const refuse = () => find(element, `[aria-label="Refuse: ${GUEST}"]`)?.click();
    refuse();
    await until(() => texts().join() === "Two");
    expect(focused(element)?.title).toBe("Moderation");
    answer(false);
    await until(() => texts().join() === "One,Two" && find(element, "meet-ai-moderation [role=alert]"));
    refuse();
    await until(() => texts().join() === "Two");
    answer(true);
    await until(() => !find(element, "meet-ai-moderation [role=alert]") && room.held.size === 1);
    expect(texts()).toEqual(["Two"]);
  });

  test("what was done says which role somebody was given", async () => {
    const { room, element } = await roomOf();
    const at = new Date().toISOString();
    room.deeds.push({ id: 1, at, by: "swift-otter", deed: "role", target: "mara-bell", role: "moderator" });
    find(element, ".here")?.click();
    await press(element, "Moderation");
    const deed = await until(() => find(element, "meet-ai-moderation ul:last-of-type li"));
    expect(deed.textContent?.replace(/\s+/g, " ")).toContain("swift-otter made mara-bell moderator ·");
  });

  test("a mute takes the address, too, where that is ticked", async () => {
    const { room, element } = await roomOf();
    find(element, ".here")?.click();
    await press(element, `Mute ${GUEST}`);
    (await until(() => find<HTMLInputElement>(element, "meet-ai-mute input"))).click();
    await press(element, "For 10 minutes");
    await until(() => room.mutedAddresses.has(GUEST));
  });
});

describe("who writes", () => {
  test("sees that a message waits for a moderator, and what became of it", async () => {
    const { room, element } = await roomOf({ owner: false });
    room.judge = () => ({ code: "held" });
    const delivery = () =>
      findAll(element, ".delivery").map(({ textContent }) => textContent?.trim().replace(/\s+/g, " "));
    for (const [index, text] of ["Approve me", "Refuse me"].entries()) {
      void element.send(text).catch(() => {});
      await until(() => delivery().filter((one) => one === "A moderator sees it first").length === index + 1);
      const sent = room.received.at(-1) as { id: string };
      room.held.set(`held-${index}`, {
        messageId: sent.id,
        sender: "swift-otter",
        content: text,
        at: new Date().toISOString(),
      });
    }
    const headers = { authorization: `Bearer ${KEY}` };
    await fetch("/api/rooms/lobby/held/held-0/approve", { method: "POST", headers });
    await until(() => delivery().length === 1 && contents(element).includes("Approve me"));
    await fetch("/api/rooms/lobby/held/held-1/refuse", { method: "POST", headers });
    await until(() => delivery()[0]?.startsWith("Not sent"));
  });

  test("and was muted may send again: nobody tells them when they are muted no more", async () => {
    const { room, element } = await roomOf({ owner: false });
    room.judge = () => ({ code: "muted" });
    void element.send("Listen").catch(() => {});
    await until(() => find(element, ".notice")?.textContent === "You are muted here.");
    const offered = () => findAll(element, ".delivery button").map(({ textContent }) => textContent);
    await until(() => offered().join() === "Send again,Discard");
  });

  test("in slow mode keeps the text, and sees for how long", async () => {
    const { room, element } = await roomOf({ owner: false });
    room.update({ room: { ...room.info, slow: 30 } });
    await userEvent.keyboard("One{Enter}");
    await until(() => contents(element).includes("One"));
    await until(() => /You can send again in (30|29|28) s/.test(find(element, ".notice")?.textContent ?? ""));
    await userEvent.keyboard("Two{Enter}");
    expect(find<HTMLTextAreaElement>(element, "textarea")?.value).toBe("Two");
    expect(room.log.some(({ content }) => content === "Two")).toBe(false);
  });

  test("and decides here is slowed down by nothing", async () => {
    const { room, element } = await roomOf();
    room.update({ room: { ...room.info, slow: 30 } });
    for (const text of ["One", "Two"]) {
      await userEvent.keyboard(`${text}{Enter}`);
      await until(() => contents(element).includes(text));
    }
  });
});
