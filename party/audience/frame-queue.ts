/** Works through what one client sends in its order: a `send` that follows a `hello` waits until the room knows who it is. */

/** Frames of one client that may wait. */
const WAITING_FRAMES = 256;

export class FrameQueue {
  /** The end of what has come and is still being worked on. */
  #last: Promise<void> | undefined;
  #waiting = 0;

  /** Runs `work` at once, or after what came before and is not done. Returns whether there is room for it to wait. */
  add(work: () => void | Promise<void>): boolean {
    if (this.#last === undefined) {
      const running = work();
      if (running) this.#last = this.#endOf(running);
      return true;
    }
    if (this.#waiting >= WAITING_FRAMES) return false;
    this.#waiting++;
    this.#last = this.#endOf(
      this.#last.then(() => {
        this.#waiting--;
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
