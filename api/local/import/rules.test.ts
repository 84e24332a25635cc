import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RULES } from "./rules.ts";

it("docs/import.md has each rule as it is, and no other", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/import.md"), "utf8");
  const rows = [...document.matchAll(/^\| `([\w-]+)` \| (.+) \| (changed|left out) \|$/gm)];
  const described = Object.fromEntries(rows.map(([, kind, words, effect]) => [kind, { effect, words }]));
  expect(described).toEqual(RULES);
});
