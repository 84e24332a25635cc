import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../protocol.ts";
import { type BriefPage, briefPage, LEAST_CHARACTERS } from "./brief-page.ts";

const message = (seq: number, content = `m${seq}`): Message => ({
  seq,
  id: `id-${seq}`,
  kind: "text",
  sender: "anna",
  content,
  createdAt: new Date(Date.UTC(2026, 10, 26, 12, seq)).toISOString(),
});
const messages = [4, 5, 6].map((seq) => message(seq));
const page = (fields: Partial<BriefPage> = {}): BriefPage => ({
  messages,
  head: 6,
  epoch: "e1",
  next: 6,
  keep: "newest",
  ...fields,
});

describe("a page", () => {
  it("is the messages, and how to go on and back", () => {
    expect(briefPage(page({ older: 4 }))).toBe(
      `4 anna 2026-11-26T12:04Z: m4
5 anna: m5
6 anna: m6
# older: before=4
# next: after=6 epoch=e1
`,
    );
  });

  it("says how far behind its reader is, who is mentioned, and how many more there are", () => {
    const behind = { by: 9, mentions: { count: 2 } };
    expect(briefPage(page({ head: 12, keep: "oldest", behind }))).toBe(
      `# behind by 9, 2 mention you
4 anna 2026-11-26T12:04Z: m4
5 anna: m5
6 anna: m6
# next: after=6 epoch=e1 (6 more)
`,
    );
  });

  it.each([
    [{ count: 1 }, "# behind by 9, 1 mentions you\n"],
    [{ count: 3, atLeast: true as const }, "# behind by 9, at least 3 mention you\n"],
    [{ count: 0, atLeast: true as const }, "# behind by 9\n"],
    [undefined, "# behind by 9\n"],
  ])("counts mentions in words: %j", (mentions, line) => {
    expect(briefPage(page({ head: 12, keep: "oldest", behind: { by: 9, mentions } })).startsWith(line)).toBe(true);
  });

  it("says that there is nothing", () => {
    const empty = { messages: [], head: 0, next: 0 };
    expect(briefPage(page(empty))).toBe("# nothing\n# next: after=0 epoch=e1\n");
    expect(briefPage(page({ ...empty, behind: { by: 0 } }))).toBe("# nothing new\n# next: after=0 epoch=e1\n");
    expect(briefPage(page({ ...empty, behind: { by: 0 }, onlyMentions: true }))).toBe(
      "# nothing new that mentions you\n# next: after=0 epoch=e1\n",
    );
  });

  it("says that a cursor can't be gone on from", () => {
    expect(briefPage(page({ reset: true }))).toMatch(/^# reset: .*\n4 anna/);
  });

  it("says that nobody can write", () => {
    expect(briefPage(page({ closed: true }))).toMatch(/^# closed: this server's operator .*\n4 anna/);
  });

  it("passes over kinds that are not known, and its cursor does, too", () => {
    const unknown = { ...message(7), kind: "poll" as "text" };
    const text = briefPage(page({ messages: [...messages, unknown], head: 7, next: 7 }));
    expect(text).toMatch(/6 anna: m6\n# next: after=7 epoch=e1\n$/);
  });
});

describe("a bound", () => {
  const long = Array.from({ length: 40 }, (_, index) => message(index + 1, "x".repeat(90)));
  const seqs = (text: string) => [...text.matchAll(/^(\d+) /gm)].map(([, seq]) => Number(seq));

  it("lets the newest stay without a cursor, and says from where to go back", () => {
    const text = briefPage(page({ messages: long, head: 40, next: 40 }), 1_000);
    expect(seqs(text)).toEqual([32, 33, 34, 35, 36, 37, 38, 39, 40]);
    expect(text).toMatch(/# older: before=32\n# next: after=40 epoch=e1\n$/);
  });

  it("lets the oldest stay after a cursor, and says from where to go on", () => {
    const text = briefPage(page({ messages: long, head: 40, next: 40, keep: "oldest", behind: { by: 40 } }), 1_000);
    expect(seqs(text)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(text).toMatch(/# next: after=9 epoch=e1 \(31 more\)\n$/);
  });

  it("lets those around a seq stay", () => {
    const text = briefPage(page({ messages: long, head: 40, next: 40, keep: { around: 20 } }), 1_000);
    expect(seqs(text)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24]);
    expect(text).toMatch(/# older: before=16\n# next: after=24 epoch=e1 \(16 more\)\n$/);
  });

  it("cuts the one message that has no room, so that its reader gets on", () => {
    const giant = [message(1, "y".repeat(16_384)), message(2)];
    const text = briefPage(page({ messages: giant, head: 2, next: 2, keep: "oldest" }), 1_000);
    expect(text).toMatch(/^1 anna 2026-11-26T12:01Z \(the first 8\d\d of 16384 characters\): y+\n# next: after=1 /);
    expect(text.length).toBeLessThanOrEqual(1_000);
  });

  it("is kept whatever is said, and something is always shown", () => {
    const anyone = fc.record({
      seq: fc.nat(1_000_000_000),
      content: fc.oneof(fc.string({ unit: "binary", maxLength: 2_000 }), fc.string()),
      sender: fc.constantFrom("anna", `${"a".repeat(64)}@${"b".repeat(31)}`),
      createdAt: fc
        .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
        .map((date) => date.toISOString()),
      replyTo: fc.option(fc.nat(1_000_000_000), { nil: undefined }),
    });
    const pages = fc.record({
      messages: fc.array(anyone, { minLength: 1, maxLength: 30 }),
      keep: fc.oneof(fc.constantFrom("oldest" as const, "newest" as const), fc.record({ around: fc.nat(1_000) })),
      reset: fc.constantFrom(true as const, undefined),
      closed: fc.constantFrom(true as const, undefined),
      most: fc.integer({ min: LEAST_CHARACTERS, max: 3_000 }),
    });
    fc.assert(
      fc.property(pages, ({ messages: drawn, keep, reset, closed, most }) => {
        const ordered = drawn
          .sort((a, b) => a.seq - b.seq)
          .map((some): Message => ({ id: "a", kind: "text", ...some }) as Message);
        const last = ordered.at(-1)?.seq ?? 0;
        const whole = page({ messages: ordered, keep, reset, closed, head: last + 5, next: last, behind: { by: 1 } });
        const text = briefPage(whole, most);
        expect(text.length).toBeLessThanOrEqual(most);
        const lines = text.slice(0, -1).split("\n");
        // Each line is the room's own or a message's, and what is shown has no gap.
        const shown = lines.filter((line) => !line.startsWith("# ")).map((line) => Number(line.split(" ", 1)[0]));
        expect(shown.length).toBeGreaterThan(0);
        const all = ordered.map(({ seq }) => seq);
        expect(all.join().includes(shown.join())).toBe(true);
        expect(briefPage(whole, most)).toBe(text);
      }),
    );
  });
});
