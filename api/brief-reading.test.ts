import { describe, expect, it } from "vitest";
import type { Message, Seq } from "../party/protocol.ts";
import type { Cursor, Page } from "../party/room-rpc.ts";
import { type BriefWish, type Log, type NextWish, readBriefly } from "./brief-reading.ts";

const EPOCH = "e1";

/** A log in memory. `arrivals` come while somebody waits: one each time that nothing that came before has ended the wait. */
class FakeLog implements Log {
  readonly messages: Message[] = [];
  readonly arrivals: Message[][] = [];
  scans = 0;
  pages = 0;
  waits = 0;

  say(sender: string, content: string, fields: Partial<Message> = {}): Message {
    const message = this.make(this.messages.length + 1, sender, content, fields);
    this.messages.push(message);
    return message;
  }

  make(seq: Seq, sender: string, content: string, fields: Partial<Message> = {}): Message {
    const createdAt = "2026-11-26T12:04:00.000Z";
    return { seq, id: `id-${seq}`, kind: "text", sender, content, createdAt, ...fields };
  }

  async page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page> {
    this.pages++;
    const head = this.messages.length;
    if (at && "after" in at) {
      if (at.after > head || (at.epoch !== undefined && at.epoch !== EPOCH)) {
        return { ...(await this.page(undefined, limit)), reset: true };
      }
      const messages = this.messages.slice(at.after, at.after + limit);
      return { messages, head, epoch: EPOCH, more: (messages.at(-1)?.seq ?? head) < head };
    }
    const older = at ? this.messages.slice(0, at.before - 1) : this.messages;
    const messages = older.slice(-limit);
    return { messages, head, epoch: EPOCH, more: (messages[0]?.seq ?? 1) > 1 };
  }

  async next(cursor: Required<Cursor>, { isWanted = () => true }: NextWish): Promise<Page> {
    this.waits++;
    const passed: Message[] = [];
    for (let came = this.arrivals.shift(); came; came = this.arrivals.shift()) {
      this.messages.push(...came);
      passed.push(...came);
      if (came.some(isWanted)) break;
    }
    const head = passed.at(-1)?.seq ?? cursor.after;
    return { messages: passed, head, epoch: EPOCH, more: false };
  }

  async spendScan(): Promise<void> {
    this.scans++;
  }
}

const read = (log: Log, wish: Partial<BriefWish>) => readBriefly(log, { limit: 50, wait: 0, ...wish });
/** The seqs of the lines, and the last line. */
const shownIn = (text: string) => [...text.matchAll(/^(\d+) /gm)].map(([, seq]) => Number(seq));
const nextIn = (text: string) => Number(/^# next: after=(\d+) epoch=e1/m.exec(text)?.[1]);

function longLog(count: number, mention: (seq: Seq) => boolean): FakeLog {
  const log = new FakeLog();
  for (let seq = 1; seq <= count; seq++) log.say("bob", mention(seq) ? "@anna look" : "hm");
  return log;
}

describe("reading", () => {
  it("without a cursor gives the newest, and how to go back", async () => {
    expect(
      await read(
        longLog(5, () => false),
        { limit: 2 },
      ),
    ).toBe("4 bob 2026-11-26T12:04Z: hm\n5 bob: hm\n# older: before=4\n# next: after=5 epoch=e1\n");
  });

  it("after a cursor gives the oldest, and how far behind one is", async () => {
    const text = await read(
      longLog(9, (seq) => seq > 7),
      { after: 3, limit: 2, you: ["anna"] },
    );
    expect(text).toMatch(/^# behind by 6, 2 mention you\n4 bob .*\n5 bob: hm\n# next: after=5 epoch=e1 \(4 more\)\n$/);
  });

  it("around a seq gives those on both sides", async () => {
    const text = await read(
      longLog(20, () => false),
      { around: 10, limit: 5 },
    );
    expect(shownIn(text)).toEqual([8, 9, 10, 11, 12]);
  });

  it("of a cursor of another history gives the newest, and says so", async () => {
    const text = await read(
      longLog(3, () => false),
      { after: 2, epoch: "older", limit: 2 },
    );
    expect(text).toMatch(/^# reset: .*\n2 bob/);
    expect(nextIn(text)).toBe(3);
  });

  it("of mentions alone passes over the rest, forwards and back", async () => {
    const log = longLog(900, (seq) => seq % 100 === 0);
    const forwards = await read(log, { after: 0, mentions: ["anna"], limit: 3 });
    expect(shownIn(forwards)).toEqual([100, 200, 300]);
    expect(nextIn(forwards)).toBe(300);
    const back = await read(log, { mentions: ["anna"], limit: 3 });
    expect(shownIn(back)).toEqual([700, 800, 900]);
    expect(back).toContain("# older: before=700\n");
    expect(nextIn(back)).toBe(900);
  });

  it("of mentions looks through a thousand messages and no more, pays for it, and gets on", async () => {
    const log = longLog(3_000, (seq) => seq === 2_500);
    const first = await read(log, { after: 0, mentions: ["anna"] });
    expect([shownIn(first), nextIn(first), log.scans]).toEqual([[], 1_000, 1]);
    const second = await read(log, { after: 1_000, mentions: ["anna"] });
    const third = await read(log, { after: nextIn(second), mentions: ["anna"] });
    expect([shownIn(third), nextIn(third)]).toEqual([[2_500], 3_000]);
    const back = await read(log, { mentions: ["anna"], before: 2_000 });
    expect(back).toContain("# older: before=1000\n");
  });

  it("counts mentions one page further than it shows, and says where that is not all", async () => {
    const log = longLog(1_000, () => true);
    const text = await read(log, { after: 0, limit: 10, you: ["anna"] });
    expect(text).toMatch(/^# behind by 1000, at least 210 mention you\n/);
    expect(log.pages).toBe(2);
  });
});

describe("waiting", () => {
  const you = ["anna/claude"];

  it("ends with the first that comes, and goes on after it", async () => {
    const log = longLog(3, () => false);
    log.arrivals.push([log.make(4, "bob", "Hi")]);
    const text = await read(log, { after: 3, wait: 50, you });
    expect(text).toMatch(/^# behind by 1\n4 bob .*: Hi\n# next: after=4 epoch=e1\n$/);
  });

  it("is not ended by one's own words, and they don't move the cursor", async () => {
    const log = longLog(3, () => false);
    log.arrivals.push([log.make(4, "anna/claude", "Mine")]);
    const text = await read(log, { after: 3, wait: 50, you });
    expect(text).toBe("# nothing new\n# next: after=3 epoch=e1\n");
  });

  it("shows what came before one's own words, once", async () => {
    const log = longLog(3, () => false);
    log.say("anna/claude", "Mine");
    log.say("bob", "Yours");
    log.say("anna/claude", "Mine again");
    const text = await read(log, { after: 2, wait: 50, you });
    expect([shownIn(text), nextIn(text), log.waits]).toEqual([[3, 5], 5, 0]);
    expect(shownIn(await read(log, { after: 5, wait: 50, you }))).toEqual([]);
  });

  it("for a mention passes over what does not mention, over one connection", async () => {
    const log = longLog(1, () => false);
    log.arrivals.push([log.make(2, "bob", "hm")], [log.make(3, "bob", "@anna/claude now")], [log.make(4, "bob", "hm")]);
    const text = await read(log, { after: 1, wait: 50, you, mentions: you });
    expect([shownIn(text), nextIn(text), log.waits]).toEqual([[3], 3, 1]);
  });

  it("is not ended by a deletion", async () => {
    const log = longLog(1, () => false);
    log.arrivals.push(
      [log.make(2, "bob", "", { kind: "deletion", target: 1 })],
      [log.make(3, "bob", "", { deleted: true })],
      [log.make(4, "bob", "Hi")],
    );
    expect(shownIn(await read(log, { after: 1, wait: 50, you }))).toEqual([4]);
  });

  it("consumes nothing: the same question has the same answer", async () => {
    const log = longLog(4, () => false);
    const first = await read(log, { after: 2, wait: 50, you });
    expect(await read(log, { after: 2, wait: 50, you })).toBe(first);
  });

  it("gets past more of one's own words than are looked through", async () => {
    const log = new FakeLog();
    for (let count = 0; count < 1_500; count++) log.say("anna/claude", "Mine");
    log.say("bob", "Hi");
    const text = await read(log, { after: 0, wait: 50, you });
    expect([shownIn(text), nextIn(text)]).toEqual([[], 1_000]);
    expect(shownIn(await read(log, { after: 1_000, wait: 50, you }))).toEqual([1_501]);
  });
});
