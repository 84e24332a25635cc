/** What editors and pages are told of `<meet-ai-room>` is what it is. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { manifest, manifestText } from "../../client/widget/custom-elements.ts";
import * as widget from "../../client/widget/index.ts";

const root = join(import.meta.dirname, "../..");
const sources = globSync("client/widget/**/*.ts", { cwd: root })
  .filter((file) => !file.endsWith(".test.ts") && !file.endsWith("custom-elements.ts"))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");

interface Named {
  readonly name: string;
}
interface Declaration
  extends Record<"attributes" | "members" | "slots" | "cssParts" | "cssProperties" | "cssStates", Named[]> {
  readonly events: (Named & { readonly type: { readonly text: string } })[];
}

const [declaration] = (manifest() as { modules: { declarations: Declaration[] }[] }).modules[0]?.declarations ?? [];
const names = (of: keyof Declaration) => declaration?.[of].map(({ name }) => name).sort();
const found = (pattern: RegExp) =>
  [...new Set([...sources.matchAll(pattern)].map(([, name]) => name as string))].sort();

test("importing the widget in Node throws nothing", () => {
  expect(widget.MeetAiRoom).toBeTypeOf("function");
});

test("custom-elements.json is up to date (node client/widget/custom-elements.ts)", () => {
  expect(readFileSync(join(root, "custom-elements.json"), "utf8")).toBe(manifestText());
});

test("its attributes are those that the class observes", () => {
  expect(names("attributes")).toEqual([...widget.MeetAiRoom.observedAttributes].sort());
});

test("its members exist", () => {
  const properties = [
    "key",
    "getToken",
    "invite",
    "strings",
    "messages",
    "people",
    "status",
    "me",
    "unread",
    ...(names("attributes") ?? []),
  ];
  const known = [...properties, "send", "focus", "scrollToMessage", "reconnect"].sort();
  expect(names("members")).toEqual(known);
  for (const name of known)
    expect(name in widget.MeetAiRoom.prototype || names("attributes")?.includes(name)).toBe(true);
});

test("its parts and slots are those of the templates", () => {
  expect(names("cssParts")).toEqual(found(/[ "]part(?:="|", ")([a-z-]+)"/g));
  expect(names("slots")).toEqual(found(/<slot name="([a-z]+)"/g));
});

test("its custom properties are those of the style sheets", () => {
  expect(names("cssProperties")).toEqual(found(/(--meet-ai-[a-z-]+)/g));
});

test("its events are classes that say which", () => {
  for (const { name, type } of declaration?.events ?? []) {
    const event = Object.entries(widget).find(([exported]) => exported === type.text)?.[1];
    expect((event as unknown as { type: string }).type).toBe(name);
  }
  expect(declaration?.events).toHaveLength(8);
});
