import { describe, expect, it } from "vitest";
import { retried } from "./retry.ts";

const failure = (marks: object) => Object.assign(new Error("Network connection lost."), marks);

/** A call that fails with each of `failures` in turn, and how often it was made and what was waited for. */
function scripted(failures: readonly unknown[]) {
  const waits: number[] = [];
  let calls = 0;
  const call = async () => {
    const error = failures[calls++];
    if (error !== undefined) throw error;
    return "answer";
  };
  const dependencies = {
    pause: async (ms: number) => void waits.push(ms),
    random: () => 1,
  };
  return { waits, calls: () => calls, run: () => retried(call, dependencies) };
}

describe("a call to an object", () => {
  it("is made once when it succeeds", async () => {
    const { run, calls, waits } = scripted([]);
    expect([await run(), calls(), waits]).toEqual(["answer", 1, []]);
  });

  it("is made again, after a wait that doubles, when its failure passes", async () => {
    const passing = failure({ retryable: true });
    const { run, calls, waits } = scripted([passing, passing, passing]);
    expect([await run(), calls(), waits]).toEqual(["answer", 4, [100, 200, 400]]);
  });

  it("is not made for ever", async () => {
    const passing = Array.from({ length: 9 }, (_, index) => failure({ retryable: true, index }));
    const { run, calls } = scripted(passing);
    await expect(run()).rejects.toBe(passing[3]);
    expect(calls()).toBe(4);
  });

  it.each([
    ["the object is overloaded", failure({ retryable: true, overloaded: true })],
    ["the error says nothing", failure({})],
    ["the error is the object's own", failure({ retryable: false, remote: true })],
    ["what was thrown is no error", "no"],
    ["nothing was thrown, and yet", null],
  ])("is not made again when %s", async (_, thrown) => {
    const { run, calls } = scripted([thrown]);
    await expect(run()).rejects.toBe(thrown);
    expect(calls()).toBe(1);
  });
});
