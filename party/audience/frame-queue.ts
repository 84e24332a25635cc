/** Works through what one client sends in its order: a `send` that follows a `hello` waits until the room knows who it is. */

/**
 * Frames of one client that may wait, and their length in characters. A room may have thousands of clients whose hello
 * waits for D1, so this is two frames of the greatest length, and not 256 of them.
 */
const WAITING = { frames: 256, characters: 128 * 1024 } as const;

export class FrameQueue {
  /** The end of what has come and is still being worked on. */
  #last: Promise<void> | undefined;
  #waiting = 0;
  #characters = 0;

  /** Whether something that came is still being worked on. */
  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Runs the work of a frame of so many characters at once, or after what came before and is not done. Returns whether
   * there is room for it to wait.
   */
  add(work: () => void | Promise<void>, characters: number): boolean {
    if (this.#last === undefined) {
      const running = work();
      if (running) this.#last = this.#endOf(running);
      return true;
    }
    if (this.#waiting >= WAITING.frames || this.#characters + characters > WAITING.characters) return false;
    this.#waiting++;
    this.#characters += characters;
    this.#last = this.#endOf(
      this.#last.then(() => {
        this.#waiting--;
        this.#characters -= characters;
        return work();
      }),
    );
    return true;
  }

  async #endOf(work: Promise<void>): Promise<void> {
    try {
      await work;
    } finally {
      if (this.#waiting === 0) this.#last = undefined;
    }
  }
}
