import { describe, expect, it } from "vitest";
import { repeatable } from "./object-call.ts";

/** A call that fails with each of `errors` in turn, and then answers. */
function failing(...errors: object[]) {
  const waits: number[] = [];
  let calls = 0;
  const answer = repeatable(
    async () => {
      const error = errors[calls++];
      if (error) throw error;
      return "answer";
    },
    async (delay) => void waits.push(delay),
  );
  return { answer, waits, calls: () => calls };
}

describe("a call that may happen twice", () => {
  it("is made again when the platform says so, after a time that grows", async () => {
    const { answer, waits } = failing({ retryable: true }, { retryable: true });
    expect(await answer).toBe("answer");
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(25);
    expect(waits[0]).toBeLessThan(75);
    expect(waits[1]).toBeGreaterThanOrEqual(50);
    expect(waits[1]).toBeLessThan(150);
  });

  it("is given up after the third time", async () => {
    const error = { retryable: true };
    const { answer, calls } = failing(error, error, error, error);
    await expect(answer).rejects.toBe(error);
    expect(calls()).toBe(3);
  });

  it.each([{}, { overloaded: true }, { retryable: true, overloaded: true }])(
    "is not made again after %j",
    async (error) => {
      const { answer, calls } = failing(error);
      await expect(answer).rejects.toBe(error);
      expect(calls()).toBe(1);
    },
  );
});
