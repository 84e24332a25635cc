import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const document = readFileSync(join(root, "docs/security.md"), "utf8");

/** The rows of the document's tables of threats: threat, control, test. */
const rows = document
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| threat"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe("docs/security.md", () => {
  it("names a control and a test for at least thirty threats", () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    for (const row of rows) {
      expect(row).toHaveLength(3);
      expect(row.every((cell) => cell !== "")).toBe(true);
    }
    expect(new Set(rows.map(([threat]) => threat)).size).toBe(rows.length);
  });

  it.each(rows.map(([threat, , test]) => [threat, test]))("has for “%s” a test that exists", (_, test) => {
    const [file, group, title, ...more] = (test as string).split(" › ");
    expect(more).toEqual([]);
    const name = /^`([\w/.-]+\.test\.ts)`$/.exec(file as string)?.[1] as string;
    const path = name.includes("/") ? name : `test/processes/security/${name}`;
    const source = readFileSync(join(root, path), "utf8");
    const groups = [`describe("${group}"`, `describe.each(ERAS)("${group}"`, `describe.each(PROXIES)("${group}"`];
    const groupAt = Math.max(...groups.map((beginning) => source.indexOf(beginning)));
    expect(groupAt).toBeGreaterThanOrEqual(0);
    const nextGroup = source.indexOf("\ndescribe(", groupAt + 1);
    const tests = source.slice(groupAt, nextGroup === -1 ? undefined : nextGroup);
    expect(tests).toContain(`"${title}"`);
  });
});
