import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { proseStyles } from "./prose.styles.ts";
import { Prose } from "./prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

afterEach(() => document.body.replaceChildren());

function prose(me = "swift-otter"): { view: Prose; host: HTMLElement; content: HTMLElement } {
  const host = document.createElement("div");
  document.body.append(host);
  const view = new Prose(host, { me, labels });
  return { view, host, content: host.firstElementChild as HTMLElement };
}

/** The HTML of a finished message, without what every block has. */
function html(text: string): string {
  const { view, content } = prose();
  view.set(text);
  return content.innerHTML
    .replaceAll(' dir="auto"', "")
    .replaceAll(' target="_blank" rel="noopener noreferrer nofollow ugc"', "");
}

const LINK_TABLE: [string, string, string][] = [
  ["an address in a sentence", "See https://example.org/a_b?x=1&y=2.", "https://example.org/a_b?x=1&y=2"],
  ["an address in parentheses", "(https://example.org/a)", "https://example.org/a"],
  ["parentheses in an address", "https://example.org/a_(b) ok", "https://example.org/a_(b)"],
  ["a bold address", "**https://example.org/a**", "https://example.org/a"],
  ["an address of this machine", "http://localhost:8787/r/lobby is up", "http://localhost:8787/r/lobby"],
  ["www", "www.example.org, too", "https://www.example.org/"],
  ["an address before a full-width mark", "看 https://example.org/a。好", "https://example.org/a"],
  ["mail", "write to ada.l+x@example.org!", "mailto:ada.l+x@example.org"],
  ["an address in angle brackets", "<https://example.org/c>", "https://example.org/c"],
  ["Markdown", "[docs](https://example.org/d)", "https://example.org/d"],
  ["Markdown with angle brackets", "[docs](<https://example.org/d e>)", "https://example.org/d%20e"],
  ["Markdown with a title", '[docs](https://example.org/d "The docs")', "https://example.org/d"],
  ["an image", "![a fox](https://example.org/fox.png)", "https://example.org/fox.png"],
  ["a text with the same address in it", "[see https://example.org/](https://example.org/x)", "https://example.org/x"],
  ["a text that names a file", "[main.rs](https://example.org/x/main.rs)", "https://example.org/x/main.rs"],
  ["a text that names the same host", "[example.org](https://www.example.org/x)", "https://www.example.org/x"],
];

const RENDER_TABLE: [string, string, string][] = [
  ["a line", "hello", "<p>hello</p>"],
  ["two lines", "one\ntwo", "<p>one<br>two</p>"],
  ["two paragraphs", "one\n\n\n\ntwo", "<p>one</p><p>two</p>"],
  ["indented lines", "one\n   two", "<p>one<br>two</p>"],
  ["a name with underscores", "snake_case_name and __init__.py", "<p>snake_case_name and <strong>init</strong>.py</p>"],
  [
    "emphasis",
    "*a* **b** ***c*** ~~d~~",
    "<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <del>d</del></p>",
  ],
  ["inline code", "`a*b*` and `` ` ``", "<p><code>a*b*</code> and <code>`</code></p>"],
  ["an escape", "\\*not\\* \\a", "<p>*not* \\a</p>"],
  ["character references", "&amp; &#x1F98A; &mdash; &nosuch; &#0;", "<p>&amp; 🦊 — &amp;nosuch; \ufffd</p>"],
  ["a backslash at the end of a line", "a\\\nb", "<p>a<br>b</p>"],
  ["headings", "# A\n### B *c*", '<h3 class="heading-1">A</h3><h3 class="heading-3">B <em>c</em></h3>'],
  ["a channel is no heading", "#general", "<p>#general</p>"],
  ["dashes under a line", "done\n---\nnext", "<p>done</p><hr><p>next</p>"],
  ["a list", "- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"],
  ["a list with paragraphs", "- a\n\n  b\n- c", "<ul><li>a<p>b</p></li><li>c</li></ul>"],
  ["a numbered list", "3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
  ["a list that comes to long numbers", "99. a\n1. b", '<ol start="99" class="digits-3"><li>a</li><li>b</li></ol>'],
  [
    "tasks",
    "- [ ] a\n- [x] b",
    '<ul><li class="task"><label><input type="checkbox" disabled="">a</label></li><li class="task"><label><input type="checkbox" disabled="" checked="">b</label></li></ul>',
  ],
  ["a quote", "> a\n> b\n\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"],
  ["a quote in a quote", "> a\n>> b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"],
  ["emphasis over quoted lines", "> **a\n> b**", "<blockquote><p><strong>a<br>b</strong></p></blockquote>"],
  ["code over quoted lines", "> `a\n> b`", "<blockquote><p><code>a b</code></p></blockquote>"],
  [
    "HTML",
    "<b>x</b> *y* <img src=x onerror=alert(1)>",
    "<p>&lt;b&gt;x&lt;/b&gt; <em>y</em> &lt;img src=x onerror=alert(1)&gt;</p>",
  ],
  ["a block of HTML", "<script>\nalert(1)\n</script>", "<p>&lt;script&gt;<br>alert(1)<br>&lt;/script&gt;</p>"],
  ["a comment", "a <!-- b --> c", "<p>a &lt;!-- b --&gt; c</p>"],
  [
    "a reference",
    "[a][b] [c]\n\n[b]: https://example.org/",
    '<p>[a][b] [c]</p><p>[b]: <a href="https://example.org/">https://example.org/</a></p>',
  ],
  ["a script's address", "[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"],
  ["a relative address", "[a](/key) ![b](x.png)", "<p>[a](/key) ![b](x.png)</p>"],
  ["an address with a password", "https://bank.example@evil.example/", "<p>https://bank.example@evil.example/</p>"],
  [
    "a text that names another host",
    "[example.com](https://evil.example/)",
    '<p>[example.com](<a href="https://evil.example/">https://evil.example/</a>)</p>',
  ],
  [
    "a text that names another host behind what nobody sees",
    "[exa\u200bmple\u2060.com\ufeff](https://evil.example/)",
    '<p>[exa\u200bmple\u2060.com\ufeff](<a href="https://evil.example/">https://evil.example/</a>)</p>',
  ],
  [
    "an address in a link's text",
    "[see https://a.example/](https://b.example/)",
    '<p>[see <a href="https://a.example/">https://a.example/</a>](<a href="https://b.example/">https://b.example/</a>)</p>',
  ],
  [
    "mentions",
    "@swift-otter @swift-otter/claude @~brisk-lynx-4f2a9c, hi",
    '<p><span class="mention me">@swift-otter</span> <span class="mention">@swift-otter/claude</span> <span class="mention">@~brisk-lynx-4f2a9c</span>, hi</p>',
  ],
  ["what is no mention", "a@b c/@d @Big @ @-x `@swift-otter`", "<p>a@b c/@d @Big @ @-x <code>@swift-otter</code></p>"],
  [
    "a mention in a sentence",
    "(@swift-otter's) **@swift-otter**-",
    '<p>(<span class="mention me">@swift-otter</span>\'s) <strong><span class="mention me">@swift-otter</span></strong>-</p>',
  ],
  [
    "a table",
    "| a | b | c |\n|:--|:-:|--:|\n| 1 | | `x\\|y` |",
    '<div class="table" tabindex="0"><table><thead><tr><th scope="col" class="align-start">a</th><th scope="col" class="align-center">b</th><th scope="col" class="align-end">c</th></tr></thead><tbody><tr><td class="align-start">1</td><td class="align-center"></td><td class="align-end"><code>x|y</code></td></tr></tbody></table></div>',
  ],
  ["a rule", "***", "<hr>"],
  ["right-to-left text", "שלום **עולם**", "<p>שלום <strong>עולם</strong></p>"],
];

describe("Markdown", () => {
  it.each(RENDER_TABLE)("shows %s", (_, text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it.each(LINK_TABLE)("links %s", (_, text, href) => {
    const { view, content } = prose();
    view.set(text);
    const links = [...content.querySelectorAll("a")];
    expect(links.map((link) => link.href)).toEqual([href]);
    for (const link of links) {
      expect(link.target).toBe("_blank");
      expect(link.rel).toBe("noopener noreferrer nofollow ugc");
    }
  });

  it("gives every block the direction of its own text, and code none", () => {
    const { view, content } = prose();
    view.set("שלום\n\nhello\n\n- عربي\n\n```\nשלום = 1\n```");
    expect([...content.children].map((block) => getComputedStyle(block).direction)).toEqual([
      "rtl",
      "ltr",
      "rtl",
      "ltr",
    ]);
  });

  it("shows code as it was written, with its language and its indentation", () => {
    const { view, content } = prose();
    view.set("> ```py title\n> def f():\n>     return '<b>'\n> ```\n\ntext\n\n    indented\n      more");
    const [quoted, indented] = content.querySelectorAll("figure");
    expect(quoted?.querySelector("code")?.textContent).toBe("def f():\n    return '<b>'");
    expect(quoted?.querySelector(".code-info")?.textContent).toBe("py title");
    expect(indented?.querySelector("code")?.textContent).toBe("indented\n  more");
  });

  it("colours code of a known language, and only its colours change", async () => {
    const { view, content } = prose();
    const source = 'const answer = "42"; // found\nif (a < b) return null;';
    view.set(`\`\`\`ts\n${source}\n\`\`\`\n\n\`\`\`nosuch\nconst x = 1\n\`\`\``);
    await expect.poll(() => content.querySelectorAll(".token-keyword").length).toBeGreaterThan(1);
    const [known, unknown] = content.querySelectorAll("code");
    expect(known?.textContent).toBe(source);
    expect(known?.querySelector(".token-string")?.textContent).toBe('"42"');
    expect(known?.querySelector(".token-comment")?.textContent?.trim()).toBe("// found");
    expect(unknown?.childElementCount).toBe(0);
  });

  it("colours the lines of a diff", async () => {
    const { view, content } = prose();
    view.set("```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n```");
    await expect.poll(() => content.querySelector(".token-diff-add")?.textContent).toBe("+new");
    expect(content.querySelector(".token-diff-remove")?.textContent).toBe("-old");
    expect(content.querySelector("code")?.textContent).toBe("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same");
  });

  it("copies the code and says so", async () => {
    const { view, content } = prose();
    view.set("```\na\n  b\n```");
    const button = content.querySelector("button") as HTMLButtonElement;
    const copied: string[] = [];
    document.addEventListener("copy", () => copied.push(String(getSelection())), { once: true });
    const clipboard = Object.getOwnPropertyDescriptor(navigator, "clipboard");
    Object.defineProperty(navigator, "clipboard", {
      configurable: true,
      value: { writeText: async (text: string) => void copied.push(text) },
    });
    button.click();
    await expect.poll(() => button.textContent).toBe("Copied");
    expect(copied).toEqual(["a\n  b"]);
    if (clipboard) Object.defineProperty(navigator, "clipboard", clipboard);
    else Reflect.deleteProperty(navigator, "clipboard");
  });

  it("marks the reader's own mentions anew when they become another", () => {
    const { view, content } = prose("swift-otter");
    view.set("@swift-otter @calm-heron");
    const mentions = [...content.querySelectorAll(".mention")];
    view.me = "calm-heron";
    expect([...content.querySelectorAll(".mention")]).toEqual(mentions);
    expect(mentions.map((mention) => mention.matches(".me"))).toEqual([false, true]);
    view.me = undefined;
    expect(content.querySelector(".me")).toBeNull();
  });

  it("changes no node when the same text is set again", () => {
    const { view, content } = prose();
    view.set("a **b**\n\n- c");
    const changes = new MutationObserver(() => undefined);
    changes.observe(content, { childList: true, subtree: true, attributes: true, characterData: true });
    view.set("a **b**\n\n- c");
    expect(changes.takeRecords()).toEqual([]);
  });

  it("never throws, and shows every word of any text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom(
        ..."* ** _ __ ~~ ` `` ``` ~~~ [ ] ( ) ![ ]( > - + 1. # ## | |-| \\ & &amp; &#65; < <b> </b> <!-- @ @swift-otter --- === [x] [ ] : https:// www. a@b.c".split(
          " ",
        ),
        "\n",
        "\n\n",
        "\n> ",
        "\n- ",
        "\n    ",
        " ",
        "\t",
        "word",
        "snake_case_name",
        "[t](https://example.org/u)",
        '[t](https://example.org/u "title")',
        "|a|b|\n|-|-|\n|c|d|",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("").toWellFormed();
        const { view, content } = prose();
        view.set(text);
        const shown = wordsShown(content);
        const words = text.replace(/&[#\w]{1,31};/g, " ").match(/[\p{L}\p{N}]{2,}/gu) ?? [];
        for (const word of words) expect(shown).toContain(word);
        content.parentElement?.remove();
      }),
      { numRuns: 600 },
    );
  });
});

it.each([1, 8, 9, 98, 99, 100, 1_000, 99_999, 999_999_999])(
  "a list that begins with %i has room for its numbers",
  (start) => {
    document.adoptedStyleSheets = [proseStyles.styleSheet as CSSStyleSheet];
    const { view, content } = prose();
    view.set(`${start}. a\n1. b\n   1. c`);
    const [outer, inner] = [...content.querySelectorAll("ol")].map((list) => {
      const number = document.createElement("span");
      number.style.cssText = "font-variant-numeric: tabular-nums; white-space: pre";
      number.textContent = `${list.start + list.childElementCount - 1}. `;
      list.firstElementChild?.prepend(number);
      const { width } = number.getBoundingClientRect();
      return { width, padding: Number.parseFloat(getComputedStyle(list).paddingInlineStart) };
    });
    // Safari's gap is 4 px wider than the space that follows the number elsewhere.
    expect(outer?.padding).toBeGreaterThanOrEqual((outer?.width as number) + 4);
    expect(outer?.padding).toBeLessThan((outer?.width as number) + 20);
    expect(inner?.padding).toBeLessThan(30);
    document.adoptedStyleSheets = [];
  },
);

/** An address as it was written; one with a lone % is none that can be decoded. */
function decoded(address: string): string {
  try {
    return decodeURI(address);
  } catch {
    return address;
  }
}

/** All that a reader gets: the text, where links lead, the language of code, the first number of a list. */
function wordsShown(content: HTMLElement): string {
  const parts = [content.textContent];
  for (const link of content.querySelectorAll("a")) parts.push(link.title, link.href, decoded(link.href));
  for (const list of content.querySelectorAll("ol")) parts.push(String(list.start));
  return parts.join(" ");
}
