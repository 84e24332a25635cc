import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { INJECTED_CALL, INJECTED_HOST, MESSAGE_INJECTIONS, NAME_INJECTIONS } from "../../../test/injections.ts";
import { Prose } from "./prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

/** All that a message can become. */
const ELEMENTS = new Set(
  "p h3 ul ol li label input blockquote hr figure figcaption span button pre code div table thead tbody tr th td a em strong del br".split(
    " ",
  ),
);
const ATTRIBUTES = new Set(
  "class dir href target rel title start type disabled checked tabindex scope aria-expanded".split(" "),
);

const called: string[] = [];
const isAway = ({ name }: PerformanceEntry): boolean => name.includes(INJECTED_HOST);

beforeEach(() => {
  called.length = 0;
  Reflect.set(globalThis, INJECTED_CALL, () => called.push("called"));
});

afterEach(() => {
  document.body.replaceChildren();
  Reflect.deleteProperty(globalThis, INJECTED_CALL);
});

function check(content: Element): void {
  for (const node of content.querySelectorAll("*")) {
    expect(ELEMENTS).toContain(node.localName);
    expect(node.namespaceURI).toBe("http://www.w3.org/1999/xhtml");
    for (const name of node.getAttributeNames()) expect(ATTRIBUTES).toContain(name);
    if (node instanceof HTMLAnchorElement) {
      expect(node.protocol).toMatch(/^(https?|mailto):$/);
      expect(node.rel).toBe("noopener noreferrer nofollow ugc");
      expect(node.host).not.toBe(location.host);
      node.addEventListener("click", (event) => event.preventDefault());
    }
  }
}

describe("injection", () => {
  it("has at least 200 texts, each once", () => {
    expect(new Set(MESSAGE_INJECTIONS).size).toBe(MESSAGE_INJECTIONS.length);
    expect(MESSAGE_INJECTIONS.length).toBeGreaterThanOrEqual(200);
    expect(NAME_INJECTIONS.length).toBeGreaterThanOrEqual(50);
  });

  it("no text becomes script, a request, or anything but the elements of a message", async () => {
    for (const text of [...MESSAGE_INJECTIONS, ...NAME_INJECTIONS]) {
      const host = document.createElement("div");
      document.body.append(host);
      const view = new Prose(host, { labels });
      for (let length = 1; length <= text.length; length += 3) view.stream(text.slice(0, length));
      view.set(text);
      check(host);
      // Whatever could be clicked, hovered over or focused is.
      for (const node of host.querySelectorAll<HTMLElement>("*")) {
        node.dispatchEvent(new PointerEvent("pointerenter", { bubbles: true }));
        node.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
        node.focus();
        if (!node.matches(".code-copy")) node.click();
      }
    }
    // A turn of the event loop lets anything that would run by itself run.
    await new Promise(requestAnimationFrame);
    expect(called).toEqual([]);
    expect(performance.getEntriesByType("resource").filter(isAway)).toEqual([]);
  });
});
