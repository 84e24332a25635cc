import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Prose } from "./prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

afterEach(() => document.body.replaceChildren());

function prose(): { view: Prose; content: HTMLElement } {
  const host = document.createElement("div");
  document.body.append(host);
  return { view: new Prose(host, { me: "swift-otter", labels }), content: host.firstElementChild as HTMLElement };
}

/** The nodes of `text` when it is shown at once. */
function whole(text: string): string {
  const { view, content } = prose();
  view.set(text);
  return content.innerHTML;
}

const ANSWER = [
  "Here is **what I found** in `room.ts`, @swift-otter:",
  "The first paragraph is finished early, and somebody selects a part of it.",
  "## Steps\n1. Read the file\n2. Change *one* line\n   - and its test\n3. Run it",
  "```ts\nexport const answer = 42; // of all\nif (a < b) {\n  return `x`;\n}\n```",
  "> A quote\n> over two lines",
  "| name | value |\n|:-----|------:|\n| seq | 1 |\n| epoch | 2 |",
  "- [x] done\n- [ ] not\n\n  with a paragraph",
  "See https://example.org/docs and [the docs](https://example.org/d).",
  "שלום עולם\n---\nEnd with a snake_case_name.",
].join("\n\n");

/** `ANSWER`, repeated to make 500 chunks of unequal length. */
function chunks(): string[] {
  const text = `${ANSWER}\n\n${ANSWER}\n\n${ANSWER}`;
  const cuts = Array.from({ length: 499 }, (_, index) =>
    Math.floor(((index + 1 + (index % 7) / 10) * text.length) / 500),
  );
  return [...cuts, text.length].map((cut) => text.slice(0, cut));
}

describe("a message that is being written", () => {
  it("keeps a finished paragraph's nodes, and a selection in it, through 500 chunks", () => {
    const { view, content } = prose();
    const texts = chunks();
    const first = texts.findIndex((text) => text.includes("## Steps\n1. Read the file\n"));
    for (const text of texts.slice(0, first + 1)) view.stream(text);
    const paragraph = content.children[1] as HTMLElement;
    const words = paragraph.firstChild as Text;
    const selection = getSelection() as Selection;
    selection.setBaseAndExtent(words, 4, words, 19);
    const changes = new MutationObserver(() => undefined);
    changes.observe(paragraph, { childList: true, subtree: true, characterData: true, attributes: true });
    for (const text of texts.slice(first + 1)) view.stream(text);
    view.set(texts.at(-1) as string);
    expect(changes.takeRecords()).toEqual([]);
    expect(content.children[1]).toBe(paragraph);
    expect(paragraph.firstChild).toBe(words);
    expect(String(selection)).toBe("first paragraph");
  });

  it("ends with the same nodes as when it is shown at once", async () => {
    const { view, content } = prose();
    const texts = chunks();
    for (const text of texts) view.stream(text);
    view.set(texts.at(-1) as string);
    await expect.poll(() => content.querySelectorAll("figure:has([class^=token])").length).toBe(3);
    const expected = prose();
    expected.view.set(texts.at(-1) as string);
    await expect.poll(() => expected.content.querySelectorAll("figure:has([class^=token])").length).toBe(3);
    expect(content.innerHTML).toBe(expected.content.innerHTML);
  });

  it("shows at every chunk what the text so far is", () => {
    const { view, content } = prose();
    let text = "";
    for (const character of ANSWER) {
      text += character;
      view.stream(text);
      // Code is coloured when it is finished, and not before.
      for (const code of content.querySelectorAll("code")) code.replaceChildren(code.textContent ?? "");
      expect(content.innerHTML).toBe(whole(text));
    }
  });

  it("shows the same, whatever the text and wherever it is cut", () => {
    const line = fc.constantFrom(
      ..."a|- b|* c|1. d|2. e|2|> f|>|# g|#|---|--|===|```|```ts|~~~|    h|  i|\t|**j|k**|`l|[m](https://example.org/|)|\\|[ ] n|- [x] o|<b>".split(
        "|",
      ),
      "|p|q|",
      "|-|-|",
      "|-|",
      "",
      "",
    );
    const text = fc.array(line, { maxLength: 14 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 12 }), (text, cuts) => {
        const { view, content } = prose();
        for (const cut of cuts.toSorted((a, b) => a - b)) {
          view.stream(text.slice(0, cut));
          expect(content.innerHTML).toBe(whole(text.slice(0, cut)));
        }
        view.set(text);
        expect(content.innerHTML).toBe(whole(text));
        document.body.replaceChildren();
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ["a list that goes on after a number", "1. a\n\n2", "1. a\n\n2. b"],
    ["a heading that is none", "a\n#", "a\n#b"],
    ["a rule that is none", "a\n---", "a\n---b"],
    ["a fence that is none", "a\n```", "a\n```b`"],
    ["a table that is none", "a\n|b|\n|-|", "a\n|b|\n|-|c"],
    ["a table in a paragraph", "a\n|b|\n|-", "a\n|b|\n|-|\n|c|"],
    ["an item that is none", "- a\n\n-", "- a\n\n-b"],
    ["emphasis that closes", "a *b", "a *b*"],
    ["a text that begins anew", "one\n\ntwo\n\nthree\n\nfour", "other\n\ntwo"],
    ["a text without what stood around it", "\n\none\n\ntwo\n\nthree\n\n", "one\n\ntwo\n\nthree"],
  ])("takes back %s", (_, before, after) => {
    const { view, content } = prose();
    for (let length = 1; length <= before.length; length++) view.stream(before.slice(0, length));
    view.stream(after);
    expect(content.innerHTML).toBe(whole(after));
    view.set(after);
    expect(content.innerHTML).toBe(whole(after));
  });

  it("keeps the nodes of finished items, rows and lines of the block that grows", () => {
    const { view, content } = prose();
    view.stream("- one\n- two\n- thr");
    const [one, two, three] = content.querySelectorAll("li");
    view.stream("- one\n- two\n- three\n- four");
    expect([...content.querySelectorAll("li")].slice(0, 3)).toEqual([one, two, three]);
    expect(three?.textContent).toBe("three");
  });

  it.each([
    ["8. one\n9. two", "digits-2"],
    ["98. one\n99. two", "digits-3"],
    ["998. one\n999. two", "digits-4"],
  ])("keeps the items, and a selection in them, of a list that comes to a longer number (%s)", (begin, digits) => {
    const { view, content } = prose();
    view.stream(begin);
    const list = content.querySelector("ol");
    const one = content.querySelector("li")?.firstChild as Text;
    const selection = getSelection() as Selection;
    selection.setBaseAndExtent(one, 0, one, 3);
    view.stream(`${begin}\n1. three`);
    expect(content.querySelector("ol")).toBe(list);
    expect(list?.className).toBe(digits);
    expect(list?.children).toHaveLength(3);
    expect(String(selection)).toBe("one");
    view.stream(begin);
    expect(content.innerHTML).toBe(whole(begin));
  });

  it("keeps a selection in the paragraph that grows", () => {
    const { view, content } = prose();
    view.stream("one two");
    const selection = getSelection() as Selection;
    selection.setBaseAndExtent(
      content.querySelector("p")?.firstChild as Text,
      0,
      content.querySelector("p")?.firstChild as Text,
      3,
    );
    view.stream("one two three");
    view.set("one two three four");
    expect(String(selection)).toBe("one");
  });

  it("keeps the colours of code when only the text after it changes", async () => {
    const { view, content } = prose();
    view.set("```ts\nconst a = 1;\n```\n\none");
    await expect.poll(() => content.querySelector(".token-keyword")).not.toBeNull();
    const keyword = content.querySelector(".token-keyword");
    view.set("```ts\nconst a = 1;\n```\n\ntwo");
    expect(content.querySelector(".token-keyword")).toBe(keyword);
    view.set("```ts\nlet a = 1;\n```\n\ntwo");
    await expect.poll(() => content.querySelector(".token-keyword")?.textContent).toBe("let");
  });

  it("does not fold what a reader has seen grow", () => {
    const { view, content } = prose();
    const long = "line\n".repeat(100);
    view.stream(long);
    view.set(long);
    expect(content.classList.contains("folded")).toBe(false);
  });
});

describe("a long message", () => {
  const long = `${"line\n".repeat(60)}[last](https://example.org/)`;

  it("is folded, and a button shows and hides the rest", () => {
    const { view, content } = prose();
    view.set(long);
    const button = content.nextElementSibling as HTMLButtonElement;
    expect(content.classList.contains("folded")).toBe(true);
    expect([button.textContent, button.getAttribute("aria-expanded")]).toEqual(["Show more", "false"]);
    button.click();
    expect(content.classList.contains("folded")).toBe(false);
    expect([button.textContent, button.getAttribute("aria-expanded")]).toEqual(["Show less", "true"]);
    button.click();
    expect(content.classList.contains("folded")).toBe(true);
  });

  it("unfolds when something in it takes the focus", () => {
    const { view, content } = prose();
    view.set(long);
    content.querySelector("a")?.focus();
    expect(content.classList.contains("folded")).toBe(false);
  });

  it("whose script changes at every letter is laid out as far as a browser can at once; the rest on demand", () => {
    const { view, content } = prose();
    const text = "aש".repeat(5_000);
    view.set(text);
    const beginning = content.textContent;
    expect(beginning.length).toBeLessThanOrEqual(800);
    expect(text.startsWith(beginning)).toBe(true);
    (content.nextElementSibling as HTMLButtonElement).click();
    expect(content.textContent).toBe(text);
  });

  it("that mixes languages as people do is shown whole", () => {
    const { view, content } = prose();
    const text = "日本語と English のメッセージ 🎉👨‍👩‍👧‍👦, עברית and русский. ".repeat(50).trimEnd();
    view.set(text);
    expect(content.textContent).toBe(text);
  });

  it("has one button however often it changes, and none when it is short", () => {
    const { view, content } = prose();
    view.set(long);
    view.set(`${long}!`);
    expect(content.parentElement?.querySelectorAll(".fold-toggle")).toHaveLength(1);
    view.set("short");
    expect(content.parentElement?.querySelector(".fold-toggle")).toBeNull();
    expect(content.classList.contains("folded")).toBe(false);
  });
});

it("marks where the next words will come, until there are none", () => {
  const { view, content } = prose();
  view.stream("");
  expect(content.matches(".unfinished:empty")).toBe(true);
  view.stream("one");
  expect(content.matches(".unfinished")).toBe(true);
  view.set("one");
  expect(content.matches(".unfinished")).toBe(false);
});
