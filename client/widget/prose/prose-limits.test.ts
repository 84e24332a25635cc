import { afterEach, describe, expect, it } from "vitest";
import { ADVERSARIAL_CODE, ADVERSARIES, CODE_LANGUAGES } from "../../../test/adversaries.ts";
import { highlight } from "./code.ts";
import { Prose } from "./prose.ts";
import { ELEMENT_LIMIT } from "./render.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

afterEach(() => document.body.replaceChildren());

function show(text: string): HTMLElement {
  const host = document.createElement("div");
  document.body.append(host);
  new Prose(host, { labels }).set(text);
  return host.firstElementChild as HTMLElement;
}

/** How deep elements lie in each other. */
function depthOf(content: Element): number {
  let deepest = 0;
  for (const leaf of content.querySelectorAll(":not(:has(*))")) {
    let depth = 0;
    for (let node: Element | null = leaf; node !== content; node = node?.parentElement ?? content) depth++;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

// How long each takes is measured in bench/prose; here, that the bounds hold which make it short. A rule that has become
// quadratic again shows itself by the test's time limit.
describe("hostile text", () => {
  it.each(Object.entries(ADVERSARIES))("%s: bounded in elements and depth, no letter lost", (_, text) => {
    const content = show(text);
    expect(content.querySelectorAll("*").length).toBeLessThanOrEqual(ELEMENT_LIMIT + 1);
    expect(depthOf(content)).toBeLessThan(50);
    // What was held back comes when its reader asks for it.
    content.parentElement?.querySelector<HTMLElement>(".fold-toggle")?.click();
    const shown = [content.textContent, ...[...content.querySelectorAll("a")].map(({ href }) => href)].join(" ");
    for (const word of new Set(
      text
        .replace(/&[#\w]{1,31};/g, " ")
        .match(/[\p{L}\p{N}]+/gu)
        ?.slice(0, 200),
    )) {
      expect(shown).toContain(word);
    }
  });

  it.each(Object.keys(ADVERSARIAL_CODE))("as code, %s: bounded in pieces, unchanged", (name) => {
    const text = ADVERSARIAL_CODE[name] as string;
    for (const language of CODE_LANGUAGES) {
      const code = document.createElement("code");
      code.append(text);
      expect(highlight(code, language, 500)).toBeLessThanOrEqual(500);
      expect(code.childElementCount).toBeLessThanOrEqual(500);
      expect(code.textContent === text, language).toBe(true);
    }
  });

  it("text beyond any limit of the protocol is shown plainly", () => {
    const content = show("**a** ".repeat(10_000));
    expect(content.children).toHaveLength(1);
    expect(content.firstElementChild?.className).toBe("plain");
    expect(content.querySelector("strong")).toBeNull();
  });

  it("what fits is rendered, and only the rest is plain", () => {
    const content = show(`# Title\n\n${"- *item*\n".repeat(200)}\n${"a *b*\n\n".repeat(1_200)}`);
    expect(content.querySelectorAll("li > em")).toHaveLength(200);
    expect(content.lastElementChild?.className).toBe("plain");
    expect(content.lastElementChild?.textContent).toMatch(/^a \*b\*/);
  });
});
