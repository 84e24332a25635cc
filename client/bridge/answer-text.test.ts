import { describe, expect, it } from "vitest";
import { AnswerText } from "./answer-text.ts";

const filled = (text: string, most?: number) => {
  const answer = new AnswerText(most);
  answer.add(text);
  return answer;
};

describe("an answer", () => {
  it("is what came, without what a terminal obeys, also when that came in two pieces", () => {
    const answer = new AnswerText();
    expect(answer.add("red \u001b[3")).toBe("red ");
    expect(answer.add("1mred\u001b")).toBe("red");
    expect(answer.message()).toBe("red red");
  });

  it("stands apart from what came before another deed", () => {
    const answer = filled("One.");
    answer.setApart();
    expect(answer.add("Two.")).toBe("\n\nTwo.");
    answer.setApart();
    answer.add("\n\nThree.");
    expect(answer.message()).toBe("One.\n\nTwo.\n\nThree.");
  });

  it("is never longer than a message, whatever it is made of, and says that it was cut", () => {
    for (const piece of ["x", "漢", "👍🏽", "\n```\n"]) {
      const answer = new AnswerText();
      for (let count = 0; count < 20_000 && !answer.isTooLong; count++) answer.add(piece);
      const message = answer.message({ why: "too long" });
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(16_384);
      expect(message).toMatch(/\(Cut: the answer was longer than one message\.\)$/);
      expect(message).not.toContain("\ufffd");
    }
  });

  it("takes no more memory than that", () => {
    const answer = new AnswerText(2_000);
    expect(answer.add("x".repeat(10_000_000)).length).toBeLessThan(100_000);
    expect(answer.isTooLong).toBe(true);
    expect(answer.add("more")).toBe("");
    expect(answer.message({ why: "too long" }).length).toBeLessThan(2_000);
  });

  it("that was cut off in a block of code says so outside of it", () => {
    const message = filled("```js\nlet a").message({ why: "stopped", by: "anna" });
    expect(message).toBe("```js\nlet a\n```\n\n(Stopped by anna.)");
  });

  it("that is empty says that, or why", () => {
    expect(filled(" \n").message()).toBe("(It gave no answer.)");
    expect(filled("").message({ why: "failed", reason: "claude ended with code 1." })).toBe(
      "(No more comes: claude ended with code 1.)",
    );
    expect(filled("").message({ why: "too late", after: 600_000 })).toBe("(Stopped: it took longer than 600 s.)");
  });
});
