/** In the real runtime: what an author's own Limiter does is that author's trouble alone. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { Person } from "../../party/limits/person.ts";
import { ownerWithRoom, Visitor } from "./visitor.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Lets the Limiter of whoever asks first wait until `release`; all others answer as ever. */
function holdFirstLimiter(): { release: () => void } {
  const held = Promise.withResolvers<void>();
  const { admit } = Person.prototype;
  let first: Person | undefined;
  async function hold(this: Person, ...question: Parameters<typeof admit>) {
    first ??= this;
    if (first === this) await held.promise;
    return admit.apply(this, question);
  }
  vi.spyOn(Person.prototype, "admit").mockImplementation(hold as unknown as typeof admit);
  return { release: held.resolve };
}

describe("an author whose Limiter does not answer", () => {
  it("waits alone: others are heard, in one order, and the author's messages follow in theirs", async () => {
    const { room } = await ownerWithRoom();
    const [slow, quick] = [await Visitor.withKey(), await Visitor.withKey()];
    const [slowLine, quickLine] = [await slow.enter(room), await quick.enter(room)];
    const { release } = holdFirstLimiter();
    for (const id of ["s1", "s2", "s3"]) slowLine.say(id);
    // The slow author's question is under way before the quick author asks.
    await expect.poll(() => Person.prototype.admit).toHaveBeenCalled();
    for (const id of ["q1", "q2"]) quickLine.say(id);
    const heard = await quickLine.messages(2);
    expect(heard.map(({ seq, id }) => `${seq} ${id}`)).toEqual(["1 q1", "2 q2"]);
    release();
    const all = await slowLine.messages(5);
    expect(all.map(({ seq, id }) => `${seq} ${id}`)).toEqual(["1 q1", "2 q2", "3 s1", "4 s2", "5 s3"]);
  });

  it("is refused in order when the Limiter fails, and may try again", async () => {
    const { room } = await ownerWithRoom();
    const visitor = await Visitor.withKey();
    const line = await visitor.enter(room);
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const admit = vi.spyOn(Person.prototype, "admit").mockImplementation(() => {
      throw new Error("the object has moved");
    });
    line.say("a");
    expect(await line.next("error")).toMatchObject({ id: "a", code: "unavailable", retryAfter: 5 });
    admit.mockRestore();
    log.mockRestore();
    line.say("a");
    expect((await line.messages(1)).map(({ seq, id }) => `${seq} ${id}`)).toEqual(["1 a"]);
  });
});
