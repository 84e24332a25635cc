import { expect, it } from "vitest";
import { type Hello, Hellos } from "./hellos.ts";

it("a hello learns that its key has ended while it was under way, and another's or a later one does not", async () => {
  const hellos = new Hellos();
  const begun: Hello[] = [];
  const gates: (() => void)[] = [];
  const say = (principal: string, keyHash: string) =>
    hellos.during(principal, keyHash, async (hello) => {
      begun.push(hello);
      await new Promise<void>((open) => gates.push(open));
      return hello.isOver;
    });
  const answers = [say("person:1", "a"), say("person:1", "b"), say("person:2", "a")];
  hellos.end("person:1", "a");
  answers.push(say("person:1", "a"));
  expect(begun.map(({ isOver }) => isOver)).toEqual([true, false, false, false]);
  hellos.end("person:1", undefined);
  for (const open of gates) open();
  expect(await Promise.all(answers)).toEqual([true, true, false, true]);
  answers.push(say("person:1", "a"));
  gates.at(-1)?.();
  expect(await answers.at(-1)).toBe(false);
});

it("a hello that has its answer is forgotten, also when it has failed", async () => {
  const hellos = new Hellos();
  const begun: Hello[] = [];
  const note = async (hello: Hello) => void begun.push(hello);
  const fail = async (hello: Hello) => {
    begun.push(hello);
    throw new Error("Network connection lost.");
  };
  await hellos.during("person:1", "a", note);
  await expect(hellos.during("person:1", "a", fail)).rejects.toThrow("lost");
  hellos.end("person:1", undefined);
  expect(begun.map(({ isOver }) => isOver)).toEqual([false, false]);
});
