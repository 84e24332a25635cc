/** The parts of the field that need no room. */

import { describe, expect, test } from "vitest";
import { complete, mentionAt, suggestionsFor } from "./completion.ts";
import { avoidKeyboard } from "./on-screen-keyboard.ts";

describe("completing a name", () => {
  test.each([
    ["Hi @sw", 6, { start: 3, prefix: "sw" }],
    ["@", 1, { start: 0, prefix: "" }],
    ["(@~brisk-l", 10, { start: 1, prefix: "~brisk-l" }],
    ["@swift-otter/cl", 15, { start: 0, prefix: "swift-otter/cl" }],
    ["mail@example", 12, undefined],
    ["Hi @sw there", 12, undefined],
    ["@SW", 3, { start: 0, prefix: "sw" }],
  ])("%j at %d", (text, caret, mention) => {
    expect(mentionAt(text, caret)).toEqual(mention);
  });

  test("names that begin with it come before those of which a word does", () => {
    const senders = ["amber-fox", "swift-otter", "~fox-lynx-1a2b3c", "swift-otter/fox", "otter-amber"];
    expect(suggestionsFor("fox", senders)).toEqual(["~fox-lynx-1a2b3c", "amber-fox", "swift-otter/fox"]);
    expect(suggestionsFor("amber", senders)).toEqual(["amber-fox", "otter-amber"]);
  });

  test("the name takes the place of what was typed, and one space follows", () => {
    const mention = { start: 3, prefix: "sw" };
    expect(complete("Hi @sw", 6, mention, "swift-otter")).toEqual({ text: "Hi @swift-otter ", caret: 16 });
    expect(complete("Hi @sw there", 6, mention, "swift-otter")).toEqual({ text: "Hi @swift-otter there", caret: 16 });
  });
});

test("a room gives way to an on-screen keyboard, and only to one", () => {
  const room = document.createElement("div");
  room.style.cssText = "position: fixed; inset: 0";
  document.body.append(room);
  const full = document.documentElement.clientHeight;
  const viewport = Object.assign(new EventTarget(), { offsetTop: 0, height: full, scale: 1 });
  const stop = avoidKeyboard(room, viewport as unknown as VisualViewport);
  const resize = (height: number, scale = 1) => {
    Object.assign(viewport, { height, scale });
    viewport.dispatchEvent(new Event("resize"));
    return room.style.paddingBlockEnd;
  };
  expect(resize(full - 300)).toBe("300px");
  expect(resize(full - 300, 2)).toBe("");
  expect(resize(full - 250)).toBe("250px");
  expect(resize(full)).toBe("");
  resize(full - 300);
  stop();
  expect(room.style.paddingBlockEnd).toBe("");
  room.remove();
});
