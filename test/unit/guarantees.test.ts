import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RULES } from "../chaos/history.ts";
import { PLANTED_BUGS } from "../planted/bugs.ts";

const root = join(import.meta.dirname, "../..");
/** In one line, so that what is quoted is found over line ends. */
const guarantees = readFileSync(join(root, "docs/guarantees.md"), "utf8").replaceAll(/\s+/g, " ");

/** Each test file that the page names, with the tests that it quotes from it. */
const namedTests = [...guarantees.matchAll(/`([\w/-]+\.test\.ts)`((?:(?: and)? "[^"]+")*)/g)].map(
  ([, file, titles]) => ({
    file: file!,
    titles: [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => title!),
  }),
);

describe("docs/guarantees.md", () => {
  it.each(namedTests)("names tests that there are: $file $titles", ({ file, titles }) => {
    expect(existsSync(join(root, file))).toBe(true);
    const text = readFileSync(join(root, file), "utf8").replaceAll(/\s+/g, " ");
    for (const title of titles) expect(text).toContain(title);
  });

  it("names every planted bug, and each test that notices one is in a file that it names", () => {
    expect(PLANTED_BUGS.map(({ name }) => name).filter((name) => !guarantees.includes(`*${name}*`))).toEqual([]);
    const files = PLANTED_BUGS.flatMap(({ caughtBy }) => caughtBy.map(({ file }) => file));
    expect(files.filter((file) => !guarantees.includes(`\`${file}\``))).toEqual([]);
  });

  it("names every rule of the trials' judge", () => {
    expect(Object.keys(RULES).filter((rule) => !guarantees.includes(`\`${rule}\``))).toEqual([]);
  });
});
