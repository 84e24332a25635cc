import { beforeEach, describe, expect, it } from "vitest";
import { Newcomers, TAKEN_FOR_ONE } from "./newcomers.ts";

const log: { kind: "text"; sender: string }[] = [];
let now: number;
let questions: string[];
let answer: (person: string) => Promise<boolean>;
let newcomers: Newcomers;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1, 12);
  questions = [];
  log.length = 0;
  answer = async () => false;
  const journal = { head: 0, archived: 0, after: () => log } as never;
  newcomers = new Newcomers({
    room: () => "lobby",
    now: () => now,
    journal,
    wroteInD1: (person) => {
      questions.push(person);
      return answer(person);
    },
  });
});

describe("somebody of whom the room knows nothing", () => {
  it("is one question to D1, however much they send at once or a little later, also as their agents", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => newcomers.look(n % 2 ? "brisk-lynx" : "brisk-lynx/bot")));
    for (let n = 0; n < 100; n++) await newcomers.look("brisk-lynx");
    expect([questions, newcomers.isOne("brisk-lynx")]).toEqual([["brisk-lynx"], true]);
    now += TAKEN_FOR_ONE;
    await newcomers.look("brisk-lynx");
    expect(questions.length).toBe(2);
  });

  it("is one question also while D1 does not answer", async () => {
    answer = () => Promise.reject(new Error("D1 is away"));
    await newcomers.look("brisk-lynx");
    await newcomers.look("brisk-lynx");
    expect([questions.length, newcomers.isOne("brisk-lynx")]).toEqual([1, true]);
  });

  it("is known from their first message on, whatever D1 has just said", async () => {
    await newcomers.look("brisk-lynx");
    log.push({ kind: "text", sender: "brisk-lynx" });
    await newcomers.look("brisk-lynx");
    expect(newcomers.isOne("brisk-lynx")).toBe(false);
  });
});
