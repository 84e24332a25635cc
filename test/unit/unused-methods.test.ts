/** The Markdown parser without the methods and rules that are never used finds in every text what the whole one finds. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { build, type Plugin } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markdown as whole } from "../../client/widget/prose/grammar.ts";
import config from "../../vite.config.ts";

const folder = mkdtempSync(join(tmpdir(), "meet-ai-parser-"));

let pruned: typeof whole;
let code: string;

beforeAll(async () => {
  const plugins = (config.plugins as Plugin[]).filter(({ name }) =>
    /^without-(?:style-tags|unused-(?:methods|rules))$/.test(name),
  );
  const entry = join(import.meta.dirname, "../../client/widget/prose/grammar.ts");
  const built = await build({
    configFile: false,
    logLevel: "error",
    plugins,
    build: { write: false, minify: false, lib: { entry, formats: ["es"] } },
  });
  [{ code }] = (built as unknown as [{ output: [{ code: string }] }])[0].output;
  const file = join(folder, "grammar.mjs");
  writeFileSync(file, code);
  ({ markdown: pruned } = await import(file));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Every node of the tree with its place, visited as the renderer does. */
function nodes(markdown: typeof whole, text: string): string[] {
  const found: string[] = [];
  const cursor = markdown.parse(text).cursor();
  const visit = () => {
    do {
      found.push(`${cursor.name} ${cursor.from} ${cursor.to}`);
      if (!cursor.firstChild()) continue;
      visit();
      cursor.parent();
    } while (cursor.nextSibling());
  };
  visit();
  return found;
}

const PIECES = [
  "# ",
  "> ",
  "- ",
  "1. ",
  "- [ ] ",
  "```ts\n",
  "~~~\n",
  "    ",
  "| a ",
  "|-|-|\n",
  "\n",
  "\n\n",
  "*",
  "**",
  "_",
  "~~",
];
const INLINE = [
  "`",
  "[a](b)",
  "[a]: b\n",
  "<div>\n",
  "  \n",
  "===\n",
  "![a](b)",
  "<https://a.a>",
  "https://a.a",
  "a@b.co",
  "@swift-otter",
  "&amp;",
  "\\",
  "<b>",
  "---\n",
  "a",
  " ",
];

test("any text is the same tree", () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...PIECES, ...INLINE), fc.string())).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (markdown) => {
      expect(nodes(pruned, markdown)).toEqual(nodes(whole, markdown));
    }),
    { numRuns: 500 },
  );
});

test("methods of which no caller has the name and rules that are removed are gone, and the others stay", () => {
  // As an editor that changes a text keeps the trees of what was not changed.
  expect(code).not.toMatch(/\b(?:applyChanges|enterUnfinishedNodesBefore|childBefore)\(/);
  expect(code).not.toMatch(/^var (?:FragmentCursor|LinkReferenceParser) = class/m);
  expect(code).toMatch(/\bfirstChild\(\) {/);
});
