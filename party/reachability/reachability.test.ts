import { beforeEach, describe, expect, it, vi } from "vitest";
import { askContent } from "../asks/ask.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Hearing } from "../protocol.ts";
import type { AgentLease } from "./agent-leases.ts";
import { Reachability } from "./reachability.ts";
import { unheardBy } from "./unheard.ts";

const claude = { sender: "swift-otter/claude", principal: "person:1" };
const MINUTE = 60_000;

/** A room around its agents: what they have open, what is kept, and what was asked of it. */
class Room {
  now = 1_000_000;
  readonly open = new Map<string, Hearing>();
  readonly listed = new Set<string>();
  hasListeners = true;
  kept: readonly AgentLease[] = [];
  writes = 0;
  log: Pick<StoredMessage, "kind" | "sender">[] = [];
  isBroken = false;
  reads = 0;
  changes = 0;
  /** How often it was asked what an agent has open. */
  looks = 0;
  readonly wakes: number[] = [];
  readonly again: string[] = [];

  reachability = this.#begin();

  /** It falls asleep, and wakes. */
  sleep(): void {
    this.reachability = this.#begin();
  }

  connect(sender: string, hearing: Hearing): void {
    this.open.set(sender, hearing);
    if (hearing !== "polls") this.listed.add(sender);
    this.reachability.connectionChanged(sender);
  }

  disconnect(sender: string): void {
    this.open.delete(sender);
    this.listed.delete(sender);
    this.reachability.connectionChanged(sender);
  }

  #begin(): Reachability {
    return new Reachability({
      room: () => "lobby",
      now: () => this.now,
      connected: (sender) => {
        this.looks++;
        return this.open.get(sender);
      },
      connectedAgents: () => this.open.keys(),
      isListed: (sender) => this.listed.has(sender),
      hasListeners: () => this.hasListeners,
      load: () => this.kept,
      save: (leases) => {
        if (this.isBroken) throw new Error("disk");
        this.kept = leases;
        this.writes++;
      },
      newest: (limit) => {
        if (this.isBroken) throw new Error("disk");
        this.reads += Math.min(limit, this.log.length);
        return this.log.slice(-limit) as StoredMessage[];
      },
      hearsAgain: (sender) => void this.again.push(sender),
      changed: () => void this.changes++,
      wakeIn: (delay) => void this.wakes.push(delay),
    });
  }
}

let room: Room;

/** The agents that do not hear it when `author` mentions them. */
const mention = (content: string, sender = "a-b") => room.reachability.unheard({ kind: "text", sender, content });

beforeEach(() => {
  room = new Room();
});

describe("how an agent hears", () => {
  it("is live by being listed, and nothing is said of that", () => {
    room.connect(claude.sender, "live");
    expect([room.reachability.takeChange(), room.reachability.now()]).toEqual([undefined, undefined]);
  });

  it("over an event stream is live, though it is not listed", () => {
    room.open.set(claude.sender, "live");
    room.reachability.connectionChanged(claude.sender);
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: "live" });
    room.disconnect(claude.sender);
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: null });
  });

  it("by a bridge is told, goes on while the bridge is away for a moment, and ends by itself", () => {
    room.connect(claude.sender, "wakes");
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: "wakes" });
    room.reachability.bridgeLost(claude, 5 * MINUTE);
    room.disconnect(claude.sender);
    expect(room.reachability.takeChange()).toBeUndefined();
    expect(room.wakes).toEqual([5 * MINUTE]);
    room.now += 5 * MINUTE;
    room.reachability.duties();
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: null });
    expect(room.reachability.takeChange()).toBeUndefined();
  });

  it("by a bridge that was lost and then ends is not, also after a sleep; by asking it goes on to be", () => {
    room.connect(claude.sender, "wakes");
    room.reachability.bridgeLost(claude, 5 * MINUTE);
    room.disconnect(claude.sender);
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: "wakes" });
    room.reachability.bridgeEnded(claude.sender);
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: null });
    room.sleep();
    expect(room.reachability.now()).toBeUndefined();
    room.reachability.asked(claude);
    const { writes } = room;
    room.reachability.bridgeEnded(claude.sender);
    expect([room.reachability.now(), room.writes]).toEqual([{ [claude.sender]: "polls" }, writes]);
  });

  it("by asking is told with the first question, and told to end when no more come", () => {
    room.reachability.asked(claude);
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: "polls" });
    for (let asked = 0; asked < 20; asked++) {
      room.now += 50_000;
      room.reachability.asked(claude);
    }
    expect([room.reachability.takeChange(), room.changes]).toEqual([undefined, 1]);
    room.now += 2 * MINUTE;
    room.reachability.duties();
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: null });
  });

  it("by asking is told also where it can't be kept, because the disk is full", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    room.isBroken = true;
    room.reachability.asked(claude);
    expect([room.reachability.now(), warn.mock.calls.length]).toEqual([{ [claude.sender]: "polls" }, 1]);
    warn.mockRestore();
  });

  it("is nothing of people and guests, who ask like anybody", () => {
    for (const sender of ["swift-otter", "~brisk-lynx-4f2a9c", "anna@acme"]) {
      room.reachability.asked({ sender, principal: "person:1" });
    }
    expect([room.reachability.now(), room.writes]).toEqual([undefined, 0]);
  });

  it("ends with the keys of its person, and when they may not read here any more", () => {
    room.reachability.asked(claude);
    room.reachability.endWhere(({ principal }) => principal === "person:2");
    expect(room.reachability.now()).toEqual({ [claude.sender]: "polls" });
    room.reachability.endWhere(({ principal }) => principal === "person:1");
    expect(room.reachability.now()).toBeUndefined();
    room.reachability.asked(claude);
    room.reachability.endWhere(({ sender }) => sender === claude.sender);
    expect([room.reachability.now(), room.kept]).toEqual([undefined, []]);
  });
});

describe("the room's sleep", () => {
  it("changes nothing for those that hear by a lease", () => {
    room.reachability.asked(claude);
    room.reachability.takeChange();
    room.sleep();
    expect(room.reachability.told()).toEqual({ [claude.sender]: "polls" });
    expect(room.reachability.takeChange()).toBeUndefined();
  });

  it("between two questions is no end of a lease, however often it comes", () => {
    room.reachability.asked(claude);
    for (let asked = 0; asked < 5; asked++) {
      room.now += 3 * MINUTE;
      room.sleep();
      room.reachability.asked(claude);
    }
    room.now += 4 * MINUTE;
    room.sleep();
    expect(room.reachability.now()).toEqual({ [claude.sender]: "polls" });
    expect(room.writes).toBe(1 + 5);
  });

  it("forgets no agent that asks again after its lease has ended, a moment after another", () => {
    const codex = { sender: "calm-newt/codex", principal: "person:2" };
    for (const agent of [claude, codex]) room.reachability.asked(agent);
    room.now += 5 * MINUTE;
    for (const agent of [claude, codex]) room.reachability.asked(agent);
    room.now += 3 * MINUTE;
    room.sleep();
    expect(room.reachability.now()).toEqual({ [claude.sender]: "polls", [codex.sender]: "polls" });
  });

  it("forgets no agent that goes on asking after the clock was set back, whatever became of others", () => {
    const codex = { sender: "calm-newt/codex", principal: "person:2" };
    for (const agent of [claude, codex]) room.reachability.asked(agent);
    room.now -= 300 * MINUTE;
    for (let asked = 0; asked < 5; asked++) {
      room.sleep();
      room.reachability.asked(claude);
      room.now += 1.5 * MINUTE;
      room.sleep();
      expect(room.reachability.now()).toEqual({ [claude.sender]: "polls" });
    }
  });

  it("does not hide the end of a lease: it is told with the next thing that is", () => {
    room.reachability.asked(claude);
    room.reachability.takeChange();
    room.now += 3 * MINUTE;
    room.sleep();
    expect(room.reachability.told()).toEqual({ [claude.sender]: "polls" });
    expect(room.reachability.takeChange()).toEqual({ [claude.sender]: null });
    expect(mention(`@${claude.sender}?`)).toEqual([claude.sender]);
  });

  it("lets go of an agent that has not been heard of for a day", () => {
    room.reachability.asked(claude);
    room.now += 25 * 60 * MINUTE;
    room.sleep();
    expect([room.reachability.told(), mention(`@${claude.sender}?`)]).toEqual([undefined, []]);
  });
});

describe("what it costs", () => {
  it("is at most a row a minute for all agents that ask, however often they do", () => {
    const asking = Array.from({ length: 8 }, (_, index) => ({
      sender: `swift-otter/a${index}`,
      principal: "person:1",
    }));
    for (const agent of asking) room.reachability.asked(agent);
    expect(room.writes).toBe(8);
    for (let second = 0; second < 3_600; second++) {
      room.now += 1_000;
      for (const agent of asking) room.reachability.asked(agent);
    }
    expect(room.writes).toBe(8 + 60);
  });

  it("is no row and no question for a bridge that stays connected", () => {
    room.connect(claude.sender, "wakes");
    for (let minute = 0; minute < 1_000; minute++) {
      room.now += MINUTE;
      room.reachability.duties();
    }
    expect([room.writes, room.wakes]).toEqual([0, []]);
  });

  it("is nothing for agents that are connected, however many, when somebody comes or goes", () => {
    for (let agent = 0; agent < 1_000; agent++) room.connect(`swift-otter/a${agent}`, "live");
    room.reachability.asked(claude);
    const { looks } = room;
    for (let comes = 0; comes < 1_000; comes++) room.reachability.duties();
    expect(room.looks - looks).toBe(1_000);
  });

  it("wakes nobody's room: when there is none to tell, no end of a lease does", () => {
    room.hasListeners = false;
    room.reachability.asked(claude);
    expect(room.wakes).toEqual([]);
    // Who comes is told soon.
    room.hasListeners = true;
    room.reachability.duties();
    expect(room.wakes).toEqual([2 * MINUTE]);
  });

  it("is one wake a minute at most for the ends of leases, however soon they come", () => {
    room.reachability.bridgeLost(claude, 10_000);
    expect(room.wakes).toEqual([MINUTE]);
  });

  it("is bounded however many agents there are: what presence says, and whom the room knows", () => {
    for (let agent = 0; agent < 300; agent++) room.connect(`a-b/a${agent}`, "wakes");
    expect(Object.keys(room.reachability.takeChange() ?? {})).toHaveLength(200);
    for (let agent = 0; agent < 300; agent++) room.disconnect(`a-b/a${agent}`);
    expect([mention("@a-b/a0?"), mention("@a-b/a299?")]).toEqual([[], ["a-b/a299"]]);
  });

  it("is one look at the newest messages after a sleep, for a flood of mentions", () => {
    room.log = Array.from({ length: 5_000 }, () => ({ kind: "text" as const, sender: "swift-otter" }));
    for (let message = 0; message < 10_000; message++) mention(`@stranger/agent-${message}`);
    expect([room.reads, room.writes, room.changes]).toEqual([200, 0, 0]);
  });
});

describe("who mentions an agent that does not hear", () => {
  it("is told so, in words, of those that the room knows from its log", () => {
    room.log = [{ kind: "text", sender: claude.sender }];
    const one = mention(`@${claude.sender} and @no-one/here`);
    expect(unheardBy(one)).toEqual({
      agents: [claude.sender],
      message: "@swift-otter/claude is not listening here. It may read this later, or never.",
    });
    room.reachability.placed([{ kind: "text", sender: "calm-newt/codex" } as StoredMessage]);
    const two = mention(`@${claude.sender} @calm-newt/codex`);
    expect(unheardBy(two).message).toBe(
      "@swift-otter/claude and @calm-newt/codex are not listening here. They may read this later, or never.",
    );
  });

  it.each<Hearing>(["live", "wakes", "polls"])("is told nothing of one that is %s", (hearing) => {
    room.log = [{ kind: "text", sender: claude.sender }];
    room.connect(claude.sender, hearing);
    expect(mention(`@${claude.sender}?`)).toEqual([]);
    room.disconnect(claude.sender);
    expect(mention(`@${claude.sender}?`)).toEqual([claude.sender]);
  });

  it("is told nothing of themselves, of people, of who was erased, nor of a name that is no agent's here", () => {
    room.log = [
      { kind: "text", sender: claude.sender },
      { kind: "text", sender: "swift-otter" },
    ];
    expect(mention(`I am @${claude.sender}`, claude.sender)).toEqual([]);
    expect(mention("@swift-otter @nobody @a/b @lovely-cat/dog")).toEqual([]);
    expect(mention(`@${claude.sender}`)).toEqual([claude.sender]);
    room.reachability.erased("swift-otter");
    expect(mention(`@${claude.sender}`)).toEqual([]);
  });

  it("is told of those in the question of an ask, and not of what stands in its labels", () => {
    room.log = [{ kind: "text", sender: claude.sender }];
    const ask = (question: string, label: string) => {
      const options = [
        { id: "a", label },
        { id: "b", label: "no" },
      ];
      const content = askContent(question, { options, from: "people" });
      return room.reachability.unheard({ kind: "ask", sender: "a-b", content });
    };
    expect(ask(`May @${claude.sender} go?`, "yes")).toEqual([claude.sender]);
    expect(ask("Who?", `@${claude.sender}`)).toEqual([]);
    // A retry of one that was deleted.
    expect(room.reachability.unheard({ kind: "ask", sender: "a-b", content: "" })).toEqual([]);
  });

  it("is told of one that was here and has never said a word", () => {
    room.connect(claude.sender, "live");
    room.disconnect(claude.sender);
    expect(mention(`@${claude.sender}?`)).toEqual([claude.sender]);
  });

  it("is told nothing where the log can't be read: the message is kept all the same", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    room.isBroken = true;
    expect([mention(`@${claude.sender}?`), warn.mock.calls.length]).toEqual([[], 1]);
    warn.mockRestore();
  });

  it("is told again once the agent has been back", () => {
    room.connect(claude.sender, "live");
    room.disconnect(claude.sender);
    room.reachability.asked(claude);
    expect(room.again).toEqual([claude.sender, claude.sender]);
  });
});
