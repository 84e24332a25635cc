import { describe, expect, it } from "vitest";
import { message, run } from "../stay/fake-socket.ts";
import { RecentMessages } from "./recent-messages.ts";

const seqs = (recent: RecentMessages) => recent.tell({ isNew: false }).recent.map(({ seq }) => seq);

describe("the messages that an agent is told of", () => {
  it("are the newest, each once, as they are now", () => {
    const recent = new RecentMessages(run(1, 3));
    recent.hear(run(2, 5));
    expect(seqs(recent)).toEqual([1, 2, 3, 4, 5]);
    recent.hear([message(6, { kind: "deletion", content: "", target: 4 })]);
    expect(recent.tell({ isNew: false }).recent[3]).toMatchObject({ seq: 4, content: "", deleted: true });
    recent.hear(run(7, 250));
    expect(seqs(recent)).toEqual(run(151, 250).map(({ seq }) => seq));
  });

  it("are new to it from the one on that came after it was asked last; to a new agent all of them", () => {
    const recent = new RecentMessages(run(1, 3));
    expect(recent.tell({ isNew: true }).after).toBe(0);
    recent.hear(run(4, 5));
    expect(recent.tell({ isNew: false }).after).toBe(3);
    expect(recent.tell({ isNew: false }).after).toBe(5);
    expect(recent.tell({ isNew: true }).after).toBe(0);
  });

  it("are all new to it in a new history of the room, whose seqs begin anew", () => {
    const recent = new RecentMessages(run(1, 50));
    recent.tell({ isNew: false });
    recent.forget();
    recent.hear(run(1, 2));
    expect(recent.tell({ isNew: false })).toMatchObject({ recent: run(1, 2), after: 0 });
  });
});
