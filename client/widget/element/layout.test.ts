/** Where things stand: in columns, at edges, beside and not upon each other. */

import { expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, mount, painted, until } from "../../../test/browser/widget.ts";

test.each([1200, 800, 360])("the log is a column as wide as the field below it: %d px", async (width) => {
  server.room("lobby").fill(1, () => ({ content: "wide ".repeat(200) }));
  const { element } = mount(server, {}, { width, height: 576 });
  const field = (await until(() => find(element, ".field"))).getBoundingClientRect();
  await until(() => find(element, ".prose"));
  await painted();
  const avatar = (find(element, ".gutter .avatar") as HTMLElement).getBoundingClientRect();
  const body = (find(element, ".body") as HTMLElement).getBoundingClientRect();
  expect(Math.abs(avatar.left - field.left)).toBeLessThan(6);
  expect(Math.abs(body.right - field.right)).toBeLessThan(6);
});

test.each([
  [1200, "en"],
  [900, "en"],
  [1200, "ar"],
])("the field is as wide as the log beside the list of people, too: %d px, %s", async (width, lang) => {
  server.room("lobby").fill(1, () => ({ content: "wide ".repeat(200) }));
  server.room("lobby").people = ["swift-otter"];
  const { element } = mount(server, { lang }, { width, height: 576 });
  await until(() => find(element, ".field") && find(element, ".prose"));
  await until(() => find(element, ".room")?.lang === lang);
  find(element, ".here")?.click();
  await until(() => find(element, ".people li"));
  await painted();
  const [field, avatar, body, people] = [".field", ".gutter .avatar", ".body", "meet-ai-people"].map((selector) =>
    (find(element, selector) as HTMLElement).getBoundingClientRect(),
  ) as [DOMRect, DOMRect, DOMRect, DOMRect];
  const ends = [Math.min(avatar.left, body.left), Math.max(avatar.right, body.right)];
  expect(Math.abs((ends[0] as number) - field.left)).toBeLessThan(6);
  expect(Math.abs((ends[1] as number) - field.right)).toBeLessThan(6);
  expect(lang === "ar" ? people.right <= field.left : field.right <= people.left).toBe(true);
});

test("a short history begins at the top", async () => {
  server.room("lobby").fill(2);
  const { element } = mount(server);
  await until(() => contents(element).length === 2);
  await painted();
  const { top } = (find(element, ".scroller") as HTMLElement).getBoundingClientRect();
  const first = (find(element, '[data-seq="1"]') as HTMLElement).getBoundingClientRect();
  expect(first.top - top).toBeLessThan(120);
});

test("code has a title bar only if it has a language", async () => {
  const room = server.room("lobby");
  room.say("swift-otter", "```ts\nconst x = 1;\n```");
  room.say("swift-otter", "```\nplain\n```");
  const { element } = mount(server);
  await until(() => findAll(element, "figure.code").length === 2);
  const [titled, plain] = findAll(element, "figure.code").map((figure) => {
    const text = figure.querySelector("pre") as HTMLElement;
    return text.getBoundingClientRect().top - figure.getBoundingClientRect().top;
  }) as [number, number];
  expect(titled).toBeGreaterThan(20);
  expect(plain).toBeLessThan(3);
});

test("an avatar's letters stand side by side, however wide they are", async () => {
  server.room("lobby").people = ["wise-walrus"];
  const { element } = mount(server);
  (await until(() => find(element, ".here"))).click();
  const avatar = await until(() => find(element, ".people .avatar"));
  const letters = document.createRange();
  letters.selectNodeContents(avatar);
  expect(letters.getClientRects()).toHaveLength(1);
});

test("the way to the newest message lies on no button of a message", async () => {
  server.room("lobby").fill(60);
  const { element } = mount(server, {}, { width: 360, height: 576 });
  await until(() => findAll(element, ".row").length === 50);
  const scroller = find(element, ".scroller") as HTMLElement;
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
  scroller.scrollTop -= 300;
  const pill = (await until(() => find(element, ".pill"))).getBoundingClientRect();
  const row = findAll(element, ".row").find((one) => one.getBoundingClientRect().bottom > pill.top) as HTMLElement;
  row.focus();
  const tools = (await until(() => find(element, ".tools"))).getBoundingClientRect();
  expect(pill.right).toBeLessThan(tools.left);
});

test("a message is as high under the pointer as it is without", async () => {
  server.room("lobby").fill(3);
  // The style sheets of the second one come in another order: all parts are there.
  for (const nth of ["first", "second"]) {
    const { element, box } = mount(server);
    await until(() => contents(element).length === 3 && !find(element, ".unrendered"));
    const row = find(element, '[data-seq="3"]') as HTMLElement;
    await painted();
    const { height } = row.getBoundingClientRect();
    row.focus();
    await until(() => find(element, '[data-seq="3"] .aside'));
    await until(() => find(element, '[data-seq="3"] .tools'));
    expect(row.getBoundingClientRect().height, nth).toBeCloseTo(height, 1);
    box.remove();
  }
});

test("a topic that comes with the connection moves nothing, nor does none", async () => {
  for (const topic of ["", "Old stories"]) {
    const room = server.room("lobby");
    room.info.topic = topic;
    room.online = false;
    const { element, box } = mount(server);
    const header = await until(() => find(element, "header"));
    await painted();
    const before = header.getBoundingClientRect().height;
    room.online = true;
    element.reconnect();
    await until(() => find(element, "h2")?.textContent === "Lobby");
    await painted();
    expect(header.getBoundingClientRect().height).toBe(before);
    box.remove();
  }
});

test.each(["en", "de", "ar"])("the time beside a message that goes on keeps clear of its text: %s", async (lang) => {
  server.room("lobby").fill(2);
  const { element } = mount(server, { lang });
  await until(() => find(element, ".room")?.lang === lang && contents(element).length === 2);
  find(element, '[data-seq="2"]')?.focus();
  const time = document.createRange();
  time.selectNodeContents(await until(() => find(element, '[data-seq="2"] .aside')));
  expect(time.toString()).toMatch(/^\d+:\d\d$/);
  const [{ left, right }, text] = [time, find(element, '[data-seq="2"] .body') as HTMLElement].map((part) =>
    part.getBoundingClientRect(),
  ) as [DOMRect, DOMRect];
  expect(lang === "ar" ? left - text.right : text.left - right).toBeGreaterThan(4);
});

test.each(["en", "ar"])("whatever its direction, what is said stands beside its sender: %s", async (lang) => {
  const said = [
    "Hello",
    "مرحبا",
    "# Title",
    "# عنوان",
    "- one\n- اثنان",
    "- واحد\n- two",
    "> quoted",
    "> اقتباس",
    "|a|b|\n|-|-|\n|1|2|",
    "|ا|ب|\n|-|-|\n|1|2|",
  ];
  server
    .room("lobby")
    .fill(said.length, (index) => ({ content: said[index] as string, sender: `swift-otter/a${index}` }));
  const { element } = mount(server, { lang });
  await until(() => find(element, ".room")?.lang === lang);
  await until(() => contents(element).length === said.length && !find(element, ".unrendered"));
  await painted();
  const away = findAll(element, ".body").flatMap((body, index) => {
    const [edge, part] = [body.getBoundingClientRect(), find(element, `[data-seq="${index + 1}"] .prose > *`)];
    const lines = document.createRange();
    lines.selectNodeContents(part as HTMLElement);
    // The text itself: a block's own box may be as wide as the column.
    const texts = [...lines.getClientRects()].filter(({ width }) => width < edge.width / 2);
    const gaps = texts.map(({ left, right }) => (lang === "ar" ? edge.right - right : left - edge.left));
    const gap = Math.min(...gaps);
    return gap > 40 ? [`${said[index]}: ${gap} px`] : [];
  });
  expect(away).toEqual([]);
});

test.each(["en", "de", "ar"])("all the shortcuts are seen at once in a room as high as rooms are: %s", async (lang) => {
  server.room("lobby").fill(1);
  for (const width of [800, 360]) {
    const { element, box } = mount(server, { lang }, { width, height: 576 });
    (await until(() => find(element, ".help"))).click();
    const list = await until(() => find(element, ".shortcuts"));
    expect(list.scrollHeight, `${width} px`).toBeLessThanOrEqual(list.clientHeight);
    box.remove();
  }
});
