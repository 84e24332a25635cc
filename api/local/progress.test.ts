import { beforeEach, describe, expect, it } from "vitest";
import { type Output, Progress, partOf } from "./progress.ts";

let now: number;
let written: string[];
beforeEach(() => {
  now = 0;
  written = [];
});

const output = (options: Omit<Output, "write">): Output => ({ ...options, write: (text) => written.push(text) });
const progress = (options: Omit<Output, "write">) => new Progress(output(options), () => now);

describe("progress", () => {
  it("on a terminal is one line that is written over, ten times a second, and goes at the end", () => {
    const bar = progress({ isTTY: true, columns: 60 });
    for (; now <= 200; now += 50) bar.show(() => `${now} ms`, now / 400);
    bar.end();
    expect(written).toEqual([
      `\r\u001b[K100 ms ${"█".repeat(8)}${"░".repeat(22)} 25 %`,
      `\r\u001b[K200 ms ${"█".repeat(15)}${"░".repeat(15)} 50 %`,
      "\r\u001b[K",
    ]);
  });

  it("on a terminal has no bar where the end is not known, and never more than a line", () => {
    const line = progress({ isTTY: true, columns: 10 });
    now = 100;
    line.show(() => "a longer line than that");
    expect(written).toEqual(["\r\u001b[Ka longer "]);
  });

  it("elsewhere is a line for each tenth, of each step", () => {
    const lines = progress({});
    for (const step of ["Reading", "Writing"]) {
      for (let done = 0; done <= 100; done++) lines.show(() => step, partOf(done, 100));
      lines.end();
    }
    const tenths = Array.from({ length: 10 }, (_, index) => `${(index + 1) * 10} %\n`);
    expect(written).toEqual(["Reading", "Writing"].flatMap((step) => tenths.map((tenth) => `${step}: ${tenth}`)));
  });

  it("elsewhere is a line every ten seconds where the end is not known", () => {
    const lines = progress({});
    for (; now <= 25_000; now += 500) lines.show(() => `${now} ms`);
    lines.end();
    expect(written).toEqual(["10000 ms\n", "20000 ms\n"]);
  });

  it("of nothing is at its end", () => {
    expect([partOf(0, 0), partOf(7, 5), partOf(1, 4)]).toEqual([1, 1, 0.25]);
  });
});
