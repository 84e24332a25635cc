/**
 * What can happen to a room. Each command does the same to a real room and to the model, and compares: after it, everybody
 * who is connected has to see exactly what the model says.
 */

import fc from "fast-check";
import { expect } from "vitest";
import { CLOSE, type HelloFrame } from "../../../party/protocol.ts";
import type { Answer, Client, RealRoom, Seen } from "./real-room.ts";
import { toEntry } from "./real-room.ts";
import { type Entry, OPTIONS, type Person, type RoomModel } from "./room-model.ts";

/** Who may be in a room: its owner, an agent of the owner, somebody else with a key, a guest, somebody who watches. */
const WRITERS = ["owner", "agent", "other", "guest"] as const;
type Writer = (typeof WRITERS)[number];
export type Actor = Writer | "watcher";
const ACTORS: readonly Actor[] = [...WRITERS, "watcher"];

/** Ids that one writer uses: few, so that they meet again. With a key they stay within a minute's quota. */
const IDS = 12;
/** New messages of a guest that a minute's quota admits. That retries cost nothing is shown by its being enough. */
const GUEST_MESSAGES = 5;
/** Messages of a run that are sent to a full disk: those of one key stay within its quota together with the others. */
const WASTE = 24;
/** Asks and answers of a run: they cost places in the same quotas. */
const ASKED = 10;
/** Drafts that one writer has under way. */
const DRAFTS = 3;
/** Messages of a welcome without a cursor. */
const WELCOME = 50;

/** What has been seen over earlier connections, and in which generation of the room. */
interface Memory {
  readonly seen: Seen;
  readonly generation: number;
}

/** The real side of a run. */
export class Session {
  readonly room: RealRoom;
  readonly clients = new Map<Actor, Client>();
  readonly memories = new Map<Actor, Memory>();
  /** Messages sent while nothing could be stored. */
  wasted = 0;
  /** Asks and answers so far. Each has an id of its own. */
  asked = 0;
  readonly guest = crypto.randomUUID();
  #guestSender = "";

  constructor(room: RealRoom) {
    this.room = room;
  }

  /** Lets `actor` in; `undefined` when the room can't let anybody in. */
  async enter(model: RoomModel, actor: Actor, resume: boolean): Promise<Client | undefined> {
    const memory = resume ? this.memories.get(actor) : undefined;
    const client = await this.room.open(this.#hello(actor), memory?.seen);
    if (model.isOutOfReach) {
      expect(client.closeCode, "the code to try later").toBe(CLOSE.tryLater);
      return undefined;
    }
    model.storageIsLost = false;
    if (actor === "guest") this.#guestSender = client.sender ?? "";
    if (actor !== "watcher") expect(client.sender).toBe(this.person(actor).sender);
    const startsOver = memory?.generation !== model.generation;
    // One that has ended says no longer whom a client is to forget.
    const isErased = model.log.slice(memory?.seen.cursor ?? model.head).some(({ kind }) => kind === "erasure");
    if (startsOver || !isErased || !client.reset)
      expect(client.reset, "reset").toBe(memory !== undefined && startsOver);
    this.clients.set(actor, client);
    this.memories.set(actor, { seen: client.seen, generation: model.generation });
    model.enter(client.sender);
    return client;
  }

  leave(model: RoomModel, actor: Actor): void {
    const client = this.clients.get(actor);
    if (!client) return;
    client.close();
    this.clients.delete(actor);
    model.leave(client.sender);
  }

  /** All connections are lost. Returns who had one. */
  loseAll(model: RoomModel): Actor[] {
    const actors = [...this.clients.keys()];
    this.clients.clear();
    model.everybodyLeft();
    return actors;
  }

  person(writer: Writer): Person {
    const { owner, other } = this.room;
    if (writer === "owner") return { sender: owner, owner: true };
    if (writer === "agent") return { sender: `${owner}/bot`, owner: false };
    if (writer === "other") return { sender: other, owner: false };
    return { sender: this.#guestSender, owner: false };
  }

  /** Waits until everybody sees what the model says, and makes sure that they see nothing else. */
  async settle(model: RoomModel): Promise<void> {
    for (const client of this.clients.values()) {
      await client.until(`seq ${model.head}`, () => client.seen.cursor >= model.head);
      expect(client.seen.entries).toEqual(model.log.slice(client.seen.after));
      const drafts = () => sameMaps(client.drafts, model.drafts);
      await client.until(`the drafts ${JSON.stringify([...model.drafts])}`, drafts);
      const presence = () => sameSets(client.people, model.here) && client.spectators === model.spectators;
      await client.until(`the presence of ${[...model.here]} and ${model.spectators} more`, presence);
    }
  }

  #hello(actor: Actor): HelloFrame | undefined {
    const { keys } = this.room;
    if (actor === "owner") return { type: "hello", key: keys.owner };
    if (actor === "agent") return { type: "hello", key: keys.owner, as: "bot" };
    if (actor === "other") return { type: "hello", key: keys.other };
    if (actor === "guest") return { type: "hello", guest: this.guest };
    return undefined;
  }
}

type Command = fc.AsyncCommand<RoomModel, Session>;

/** A command from what it is called, when it makes sense, and what it does. */
function command(
  name: string,
  makesSense: (model: Readonly<RoomModel>) => boolean,
  work: (model: RoomModel, session: Session) => Promise<void>,
): Command {
  return {
    check: makesSense,
    run: async (model, session) => {
      await work(model, session);
      await session.settle(model);
    },
    toString: () => name,
  };
}

const always = () => true;

const enter = (actor: Actor, resume: boolean): Command =>
  command(`${actor} enters${resume ? " again" : ""}`, always, async (model, session) => {
    if (session.clients.has(actor)) return;
    const client = await session.enter(model, actor, resume);
    if (client && (!resume || client.reset)) expect(client.seen.after).toBe(Math.max(0, model.head - WELCOME));
  });

const leave = (actor: Actor): Command =>
  command(`${actor} leaves`, always, async (model, session) => session.leave(model, actor));

interface Words {
  readonly writer: Writer;
  readonly id: string;
  readonly content: string;
}

const show = (all: readonly Words[]) => all.map(({ writer, id, content }) => `${writer} ${id} "${content}"`).join(", ");

/** All of it at the same time, by whoever is connected. */
const say = (all: readonly Words[]): Command =>
  command(`say ${show(all)}`, always, async (model, session) => {
    const said = sayable(model, session, all);
    const before = new Map(said.map((words) => [words, answersTo(session, words).length]));
    for (const words of said) transmit(session, words);
    await arrive(model, session, said, before);
  });

/** All of it at the same time, and the connections are lost before any answer; everybody comes back and says it again. */
const sayAmidLoss = (all: readonly Words[], loss: "cut" | "crash"): Command =>
  command(`${loss} amid ${show(all)}`, always, async (model, session) => {
    const said = sayable(model, session, all);
    for (const words of said) transmit(session, words);
    const lost = loss === "crash" ? await crash(model, session) : cut(model, session, said);
    for (const actor of lost) await session.enter(model, actor, true);
    // Sent again in full: what had arrived before the loss is recognised, and what had not arrives now.
    for (const words of said) transmit(session, words);
    await arrive(model, session, said, undefined);
  });

/**
 * The same while the room's storage takes nothing: what is new is refused and nobody ever hears of it; what is known is
 * still recognised. Afterwards all is as it was.
 */
const sayWithoutStorage = (all: readonly Words[]): Command =>
  command(`with a full disk, ${show(all)}`, always, async (model, session) => {
    // An admitted message that can't be stored has used its quota: more than the few of a guest are needed.
    const said = sayable(model, session, all).filter(({ writer }) => writer !== "guest");
    if (said.length === 0 || session.wasted + said.length > WASTE) return;
    session.wasted += said.length;
    await session.room.fillDisk();
    for (const words of said) {
      const before = answersTo(session, words).length;
      transmit(session, words);
      await session.clients.get(words.writer)!.until("an answer", () => answersTo(session, words).length > before);
      const seq = model.seqOf(session.person(words.writer).sender, words.id);
      const first = model.log[(seq ?? 0) - 1];
      const isSame = first?.content === words.content || first?.content === "";
      const known = isSame ? { ack: seq } : { error: "conflict" };
      expect(answersTo(session, words)[before]).toEqual(seq === undefined ? { error: "unavailable" } : known);
    }
    await session.room.clearDisk();
  });

/** What of `all` can be said now. */
function sayable(model: RoomModel, session: Session, all: readonly Words[]): Words[] {
  const free = GUEST_MESSAGES - (session.clients.has("guest") ? model.countOf(session.person("guest").sender) : 0);
  const newOfGuest = new Set<string>();
  return all.filter(({ writer, id }) => {
    if (!session.clients.has(writer)) return false;
    if (writer !== "guest" || model.seqOf(session.person(writer).sender, id) !== undefined) return true;
    if (newOfGuest.size >= free && !newOfGuest.has(id)) return false;
    newOfGuest.add(id);
    return true;
  });
}

function transmit(session: Session, { writer, id, content }: Words): void {
  session.clients.get(writer)?.transmit({ type: "send", id, content });
}

const answersTo = (session: Session, { writer, id }: Words): readonly Answer[] =>
  session.clients.get(writer)?.answers.get(id) ?? [];

/**
 * Waits until all that was said is answered, and makes the model say the same. Messages that were under way together may
 * have come in any order, but those of one writer only in theirs; which it was is read from what arrived.
 */
async function arrive(
  model: RoomModel,
  session: Session,
  said: readonly Words[],
  before: ReadonlyMap<Words, number> | undefined,
): Promise<void> {
  const head = model.head;
  const outcomes = said.map((words) => model.send(session.person(words.writer), words.id, words.content));
  const witness = session.clients.get(said[0]?.writer ?? "watcher");
  if (!witness) return;
  await witness.until(`seq ${model.head}`, () => witness.seen.cursor >= model.head);
  const expected = model.log.splice(head);
  const arrived = witness.seen.entries.slice(head - witness.seen.after);
  expect(bySender(arrived)).toEqual(bySender(expected));
  model.log.push(...arrived.map((entry) => ({ ...entry })));

  const used = new Map<string, number>();
  for (const [index, words] of said.entries()) {
    const key = `${words.writer} ${words.id}`;
    const place = (before?.get(words) ?? 0) + (used.get(key) ?? 0);
    used.set(key, (used.get(key) ?? 0) + 1);
    const client = session.clients.get(words.writer)!;
    const seq = model.seqOf(session.person(words.writer).sender, words.id)!;
    const wanted: Answer = outcomes[index] === "conflict" ? { error: "conflict" } : { ack: seq };
    if (before) {
      await client.until(`an answer to ${words.id}`, () => answersTo(session, words).length > place);
      expect(answersTo(session, words)[place]).toEqual(wanted);
    } else {
      // A message that arrives in a welcome or beside its acknowledgement answers twice, so the place says nothing.
      const isWanted = (answer: Answer) => JSON.stringify(answer) === JSON.stringify(wanted);
      await client.until(`${JSON.stringify(wanted)} for ${words.id}`, () => answersTo(session, words).some(isWanted));
    }
  }
}

const bySender = (entries: readonly Entry[]) => Object.groupBy(entries, ({ sender }) => sender);

async function crash(model: RoomModel, session: Session): Promise<Actor[]> {
  await session.room.crash();
  return session.loseAll(model);
}

function cut(model: RoomModel, session: Session, said: readonly Words[]): Actor[] {
  const lost = [...new Set(said.map(({ writer }) => writer))];
  for (const actor of lost) session.leave(model, actor);
  return lost;
}

const ask = (writer: Writer): Command =>
  command(`${writer} asks`, always, async (model, session) => {
    const client = session.clients.get(writer);
    // A guest's few messages are wanted for what shows that retries cost nothing.
    if (!client || writer === "guest" || session.asked >= ASKED) return;
    const id = `ask-${session.asked++}`;
    client.transmit({ type: "send", id, content: "Go?", ask: { options: [...OPTIONS] } });
    model.ask(session.person(writer), id);
  });

interface Press {
  readonly writer: Writer;
  readonly option: (typeof OPTIONS)[number];
}

/**
 * All press at the same moment, perhaps with the connections lost before any answer; then everybody comes back and presses
 * again under the same id. One decides, and all are told which.
 */
const press = (all: readonly Press[], loss: "none" | "cut" | "crash"): Command =>
  command(
    `${all.map(({ writer, option }) => `${writer} presses ${option}`).join(", ")}${loss === "none" ? "" : `, ${loss}`}`,
    always,
    async (model, session) => {
      const target = model.openAsk;
      const pressed = all.filter(({ writer }) => session.clients.has(writer)).slice(0, ASKED - session.asked);
      if (target === undefined || pressed.length === 0) return;
      const made = pressed.map((one) => ({ ...one, id: `press-${session.asked++}` }));
      const transmitAll = () => {
        for (const { writer, id, option } of made) {
          session.clients.get(writer)?.transmit({ type: "send", id, answer: { target, option } });
        }
      };
      transmitAll();
      if (loss !== "none") {
        const said = made.map(({ writer, id }) => ({ writer, id, content: "" }));
        const lost = loss === "crash" ? await crash(model, session) : cut(model, session, said);
        for (const actor of lost) await session.enter(model, actor, true);
        transmitAll();
      }
      const valid = made.filter(({ writer }) => model.mayAnswer(session.person(writer), target));
      const witness = session.clients.get(made[0]!.writer)!;
      const seq = model.head + 1;
      let winner: (typeof made)[number] | undefined;
      if (valid.length > 0) {
        await witness.until("an answer", () => witness.seen.cursor >= seq);
        const arrived = witness.seen.entries.at(-1)!;
        winner = valid.find(({ writer, id }) => id === arrived.id && session.person(writer).sender === arrived.sender);
        expect(winner, `who has given ${JSON.stringify(arrived)}`).toBeDefined();
        model.answer(session.person(winner!.writer), winner!.id, { target, option: winner!.option });
      }
      for (const one of made) {
        const answers = () => session.clients.get(one.writer)?.answers.get(one.id) ?? [];
        await session.clients.get(one.writer)!.until(`an answer to ${one.id}`, () => answers().length > 0);
        if (one === winner) expect(answers()).toEqual(answers().map(() => ({ ack: seq })));
        else for (const answer of answers()) expect(refusals(valid.includes(one), winner)).toContainEqual(answer);
      }
    },
  );

/** What may be told of an answer that does not decide. Who never may answer learns either, once it was decided at the same moment. */
const refusals = (mayAnswer: boolean, winner: unknown): Answer[] => {
  const isLate: Answer = { error: "conflict" };
  const isNotAsked: Answer = { error: "forbidden" };
  if (mayAnswer) return [isLate];
  return winner === undefined ? [isNotAsked] : [isNotAsked, isLate];
};

/** The time of the oldest open ask is over. */
const endTime = command(
  "the time of an ask is over",
  (model) => model.drafts.size === 0 && !model.storageIsLost,
  async (model, session) => {
    const seq = model.openAsk;
    if (seq === undefined) return;
    await session.room.endTime(seq);
    model.expire(seq);
  },
);

const draft = (writer: Writer, id: string, append: string): Command =>
  command(`${writer} drafts ${id} "${append}"`, always, async (model, session) => {
    const client = session.clients.get(writer);
    if (!client) return;
    const person = session.person(writer);
    const key = `${person.sender} ${id}`;
    const underWay = [...model.drafts.keys()].filter((other) => other.startsWith(`${person.sender} `)).length;
    if (model.seqOf(person.sender, id) !== undefined || (underWay >= DRAFTS && !model.drafts.has(key))) return;
    client.transmit({ type: "draft", id, append });
    model.draft(person, id, append);
  });

const remove = (writer: Writer, seq: number): Command =>
  command(`${writer} deletes ${seq}`, always, async (model, session) => {
    const client = session.clients.get(writer);
    if (!client) return;
    client.complaint = undefined;
    client.transmit({ type: "delete", seq });
    const deletion = model.delete(session.person(writer), seq);
    if (deletion === "not_found" || deletion === "forbidden") {
      await client.until(`${deletion}`, () => client.complaint !== undefined);
      expect(client.complaint).toBe(deletion);
    }
    // A deletion is acknowledged by its message, a repeated one by an answer of its own; `settle` waits for the first.
    if (deletion !== "repeated") return;
    await client.until("an acknowledgement", () => client.answers.has(`delete:${seq}`));
    // What was erased and never deleted is named itself.
    const first = model.log.findIndex((entry) => entry.target === seq) + 1 || seq;
    expect(client.answers.get(`delete:${seq}`)).toContainEqual({ ack: first });
  });

/** The owner erases everything by somebody, over HTTP. While D1 is away, what only D1 could tell is refused. */
const erase = (writer: Writer): Command =>
  command(`everything by ${writer} is erased`, always, async (model, session) => {
    const { sender } = session.person(writer);
    if (sender === "" || model.storageIsLost) return;
    const hasWritten = model.hasWritten(sender);
    const status = await session.room.erase(sender);
    // D1 alone may have older messages of theirs: it can't be asked.
    expect(hasWritten ? [200, 202] : model.isD1Away ? [200, 202, 503] : [200]).toContain(status);
    model.erase(session.person("owner"), sender);
  });

/** A draft keeps the room awake; once all are sent or given up, it can sleep again. */
const sleep = command(
  "sleep",
  (model) => model.drafts.size === 0,
  (_, session) => session.room.sleep(),
);

const crashAlone = command("crash", always, async (model, session) => {
  await crash(model, session);
});

const archive = command("the alarm rings", always, async (model, session) => {
  if (model.isD1Away) {
    await session.room.ring();
    return;
  }
  await session.room.catchUp(model.head);
  expect(await session.room.archived()).toEqual(model.log);
});

const breakD1 = command(
  "D1 goes away",
  (model) => !model.isD1Away,
  async (model, session) => {
    await session.room.breakD1();
    model.isD1Away = true;
  },
);

const mendD1 = command(
  "D1 comes back",
  (model) => model.isD1Away,
  async (model, session) => {
    await session.room.mendD1();
    model.isD1Away = false;
  },
);

/** What D1 has is as an earlier version of the server has left it. */
const unpackD1 = command(
  "D1 has rows",
  (model) => !model.isD1Away,
  async (_, session) => session.room.unpack(),
);

/** D1 is restored to an earlier time; the room, which still has everything, notices when somebody speaks. */
const setBackD1 = (seq: number, words: Words): Command =>
  command(
    `D1 is set back to ${seq}, ${show([words])}`,
    (model) => !model.isD1Away,
    async (model, session) => {
      const said = sayable(model, session, [words]);
      const isNew = said.length > 0 && model.seqOf(session.person(words.writer).sender, words.id) === undefined;
      if (!isNew) return;
      const before = new Map([[words, answersTo(session, words).length]]);
      await session.room.setBack(seq);
      transmit(session, words);
      await arrive(model, session, said, before);
      await session.room.catchUp(model.head);
      expect(await session.room.archived()).toEqual(model.log);
    },
  );

const read = (before: number): Command =>
  command(`read, and back from ${before}`, always, async (model, session) => {
    if (model.isOutOfReach) {
      expect(await session.room.readStatus()).toBe(503);
      return;
    }
    model.storageIsLost = false;
    expect((await session.room.read()).map(toEntry)).toEqual(model.log);
    if (model.isD1Away) return;
    const seq = Math.min(before, model.head + 1);
    expect((await session.room.readBefore(seq)).map(toEntry)).toEqual(model.log.slice(0, seq - 1).slice(-7));
  });

const loseStorage = command(
  "the room loses its storage",
  (model) => !model.isD1Away,
  async (model, session) => {
    await session.room.catchUp(model.head);
    expect(await session.room.archived()).toEqual(model.log);
    await session.room.loseStorage();
    session.loseAll(model);
    model.generation++;
    model.storageIsLost = true;
  },
);

const writers = fc.constantFrom(...WRITERS);
const actors = fc.constantFrom(...ACTORS);
const ids = fc.nat({ max: IDS - 1 }).map((number) => `m${number}`);
const words: fc.Arbitrary<Words> = fc.record({
  writer: writers,
  id: ids,
  content: fc.constantFrom("yes", "yes", "yes", "no"),
});
const manyWords = fc.array(words, { minLength: 1, maxLength: 6 });
const presses: fc.Arbitrary<Press> = fc.record({ writer: writers, option: fc.constantFrom(...OPTIONS) });
const manyPresses = fc.array(presses, { minLength: 1, maxLength: 4 });
const seqs = fc.integer({ min: 1, max: 12 });

/** Runs of commands. What happens often in life stands in the list more than once. */
export const commands = (): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      fc.tuple(actors, fc.boolean()).map(([actor, resume]) => enter(actor, resume)),
      actors.map((actor) => enter(actor, true)),
      actors.map(leave),
      manyWords.map(say),
      manyWords.map(say),
      manyWords.map(say),
      manyWords.map(sayWithoutStorage),
      fc.tuple(manyWords, fc.constantFrom("cut", "crash")).map(([all, loss]) => sayAmidLoss(all, loss)),
      writers.map(ask),
      writers.map(ask),
      fc.tuple(manyPresses, fc.constantFrom("none", "none", "cut", "crash")).map(([all, loss]) => press(all, loss)),
      manyPresses.map((all) => press(all, "none")),
      fc.constant(endTime),
      fc.tuple(writers, ids, fc.constantFrom("", "a", " b")).map(([writer, id, append]) => draft(writer, id, append)),
      fc.tuple(writers, seqs).map(([writer, seq]) => remove(writer, seq)),
      writers.map(erase),
      fc.constant(sleep),
      fc.constant(crashAlone),
      fc.constant(archive),
      fc.constantFrom(breakD1, mendD1),
      fc.constant(unpackD1),
      fc.tuple(seqs, words).map(([seq, said]) => setBackD1(seq, said)),
      seqs.map(read),
      fc.constant(loseStorage),
    ],
    { maxCommands: 25, size: "max" },
  );

const sameSets = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((value) => b.has(value));

function sameMaps(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
