/**
 * The hellos that wait for an answer of their Limiter. A key may end while its answer is under way: such an answer is too
 * old, and the socket must not be let in by it.
 */

export interface Hello {
  /** The key has ended since the hello began. */
  readonly isOver: boolean;
}

export class Hellos {
  readonly #underWay = new Set<{ readonly principal: string; readonly keyHash: string; isOver: boolean }>();

  /** Does `work` for a hello with this key. `work` asks `hello.isOver` when it has its answer. */
  async during<T>(principal: string, keyHash: string, work: (hello: Hello) => Promise<T>): Promise<T> {
    const hello = { principal, keyHash, isOver: false };
    this.#underWay.add(hello);
    try {
      return await work(hello);
    } finally {
      this.#underWay.delete(hello);
    }
  }

  /** The key of `principal` with this hash has ended; without a hash, every key of theirs. */
  end(principal: string, keyHash: string | undefined): void {
    for (const hello of this.#underWay) {
      if (hello.principal === principal && (keyHash === undefined || hello.keyHash === keyHash)) hello.isOver = true;
    }
  }
}
