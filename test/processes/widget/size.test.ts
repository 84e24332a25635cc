/** What a page pays for the widget. Fails when the budget is exceeded; the build comes first (`npm test` makes it). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const BUILT = join(import.meta.dirname, "../../../dist/client");

/** Bytes on the wire. */
const BUDGET = { entry: 26 * 1024, lazy: 60 * 1024, askCard: 2.5 * 1024 };

const read = (file: string): string => readFileSync(join(BUILT, file), "utf8");
const gzipped = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(read(file), { level: 9 }).byteLength, 0);

/** The files that `file` imports, by `import … from`, `export … from` or `import()`. */
function importsOf(file: string, form: RegExp): string[] {
  return [...read(file).matchAll(form)].map(([, name]) =>
    new URL(name as string, `http://built/${file}`).pathname.slice(1),
  );
}

const STATIC = /(?:import|from)\s*[`"']([^`"']+\.js)[`"']/g;
const ANY = /(?:import|from)\s*\(?\s*[`"']([^`"']+\.js)[`"']/g;

/** `files` and all that they lead to. */
function reached(files: readonly string[], form: RegExp): Set<string> {
  const found = new Set(files);
  for (const file of found) for (const next of importsOf(file, form)) found.add(next);
  return found;
}

const atOnce = reached(["widget.js"], STATIC);
const loadedLater = [...reached(["widget.js"], ANY)].filter((file) => !atOnce.has(file));
/** Only in rooms in which people are asked. */
const askCard = loadedLater.filter((file) => /^assets\/ask-/.test(file));
const later = loadedLater.filter((file) => !askCard.includes(file));

it("the widget's entry is one file of at most 26 KB", () => {
  expect([...atOnce]).toEqual(["widget.js"]);
  expect(gzipped(atOnce)).toBeLessThanOrEqual(BUDGET.entry);
});

// A file that failed to load is requested again under another address. Chromium never loads the same address again, so a
// file that others import would stay away for ever.
it("no file that is loaded later imports another one", () => {
  for (const file of loadedLater) {
    expect([...reached([file], STATIC)].filter((name) => name !== "widget.js")).toEqual([file]);
  }
});

it("all that it may load later is at most 60 KB", () => {
  expect(later.some((file) => file.includes("log-renderer"))).toBe(true);
  expect(gzipped(later)).toBeLessThanOrEqual(BUDGET.lazy);
  console.log(`entry ${gzipped(atOnce)} B, later ${gzipped(later)} B in ${later.length} files`);
});

it("the card of an ask is at most 2.5 KB more", () => {
  expect(askCard).toHaveLength(1);
  expect(gzipped(askCard)).toBeLessThanOrEqual(BUDGET.askCard);
  console.log(`the card of an ask ${gzipped(askCard)} B`);
});

it("a room's page names all that opens the room", () => {
  const renderer = later.find((file) => file.includes("log-renderer")) as string;
  for (const file of ["widget.js", renderer]) {
    expect(read("room.html")).toContain(`<link rel="modulepreload" crossorigin href="/${file}">`);
  }
});
