/** A lobby that has a journal, a D1 and an archive, without a room around them. */

import { Archive } from "../../party/archive/archive.ts";
import { Journal, type StoredMessage } from "../../party/log/journal.ts";
import type { Statement } from "../../party/log/sql.ts";
import { keepsAll } from "./keeps-all.ts";
import { deletion, RoomStorage, TestD1, text } from "./sqlite.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

export class Lobby {
  readonly db = new TestD1();
  journal: Journal;
  #archive: Archive;

  constructor() {
    this.journal = new Journal(new RoomStorage());
    this.journal.start({ messages: [] });
    this.#archive = this.#opened();
  }

  /** Goes on with another journal, as a room does that has slept or was rebuilt. */
  reopen(journal: Journal): void {
    this.journal = journal;
    this.#archive = this.#opened();
  }

  say(...contents: string[]): readonly StoredMessage[] {
    const { head } = this.journal;
    return this.journal.append(
      contents.map((content, index) => text("swift-otter", `m${head + index + 1}`, content)),
      NOON + head,
    );
  }

  /** Says so many lines, each of which names its seq. */
  sayMany(count: number): void {
    for (let left = count; left > 0; left -= 1_000) {
      const { head } = this.journal;
      this.say(...Array.from({ length: Math.min(left, 1_000) }, (_, index) => `line ${head + index + 1}`));
    }
  }

  delete(...targets: number[]): void {
    this.journal.append(
      targets.map((target) => deletion("swift-otter", target)),
      NOON,
    );
  }

  /** Copies what D1 does not have, as far as it can now. */
  copy(): Promise<void> {
    return this.#archive.run();
  }

  /** Finds out who wrote what D1 has, where that is not known. */
  findWriters(): Promise<boolean> {
    return this.#archive.index();
  }

  /**
   * What `work` asks D1 to do in batches, but for those that only read. Each can be asked for again, as late as one likes.
   * Those with a query that matches `lost` do not arrive.
   */
  async batchesOf(work: () => Promise<unknown>, lost = /^never$/): Promise<(() => Promise<unknown>)[]> {
    const batch = this.db.batch.bind(this.db);
    const asked: Statement[][] = [];
    this.db.batch = (statements) => {
      const queries = (statements as (Statement & { query: string })[]).map(({ query }) => query);
      if (queries.some((query) => !query.startsWith("SELECT"))) asked.push(statements);
      if (queries.some((query) => lost.test(query)))
        return Promise.reject(new Error("D1_ERROR: Network connection lost."));
      return batch(statements);
    };
    await work();
    this.db.batch = batch;
    return asked.map((statements) => () => batch(statements));
  }

  /** The first seqs of the packs in D1. */
  get packs(): number[] {
    return this.db.rows<{ first: number }>("SELECT first FROM packs ORDER BY first").map(({ first }) => first);
  }

  /** The seqs that D1 has as rows of the older form. */
  get rows(): number[] {
    return this.db.rows<{ seq: number }>("SELECT seq FROM messages ORDER BY seq").map(({ seq }) => seq);
  }

  /** What D1 has of the message `seq`. */
  contentOf(seq: number): string | undefined {
    return this.db.messages.find((message) => message.seq === seq)?.content;
  }

  #opened(): Archive {
    return new Archive({
      setBack: () => undefined,
      room: "lobby",
      createdAt: this.db.createdAt,
      journal: this.journal,
      db: this.db,
      now: () => NOON,
      holds: { load: () => undefined, save: () => undefined },
      stored: () => ({ bytes: 0, limit: undefined }),
      keepAlive: () => undefined,
      wakeIn: () => undefined,
      delay: 0,
      gone: async () => undefined,
      retention: keepsAll,
      ordered: () => undefined,
    });
  }
}
