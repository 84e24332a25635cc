import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PLANTED } from "../planted/bugs.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const planted = Object.values(PLANTED).flat();

// Planting them all takes half an hour; that they can be planted is seen at once.
describe.each(planted.map((bug) => [bug.name, bug] as const))("the planted bug “%s”", (_, { edits, caughtBy }) => {
  it("still has its place in the source", () => {
    for (const { file, find, replace } of edits) {
      expect(read(file).split(find)).toHaveLength(2);
      expect(replace).not.toBe(find);
    }
  });

  it("has witnesses, which are tests that there are", () => {
    expect(caughtBy).not.toEqual([]);
    expect(caughtBy.filter(({ file, test }) => !hasTest(read(file), test))).toEqual([]);
  });
});

/** Whether a test file has the title `test`, as it stands or as a template that gives it. */
function hasTest(source: string, test: string): boolean {
  // In one line, so that a title is found however it is broken.
  const text = source.replaceAll(/\s+/g, " ");
  if (text.includes(test)) return true;
  const templates = [...text.matchAll(/"([^"]*(?:%[sdij]|\$\w)[^"]*)"/g)].map(([, title]) => title as string);
  return templates.some((title) => {
    const escaped = title.replaceAll(/[.*+?^{}()|[\]\\]/g, "\\$&");
    return new RegExp(escaped.replaceAll(/%[sdij]|\$[\w.]+/g, ".+")).test(test);
  });
}
