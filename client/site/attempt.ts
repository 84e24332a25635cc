/** What a part of the page asks the server to do for the person with the key: one thing at a time, and what became of it. */

import { html, nothing, type ReactiveController, type ReactiveControllerHost } from "lit";
import { messageOf } from "./api.ts";
import { session } from "./session.ts";

export class Attempt implements ReactiveController {
  busy = false;
  /** What was done last, in words. */
  said = "";
  /** Why it was not done, in words. */
  problem = "";
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.said = this.problem = "";
  }

  /** What became of it is no longer so. */
  clear(): void {
    this.#show({ said: "", problem: "" });
  }

  /** Does `action` with the key in use; what it gives is said. Whether it was done. */
  async run(action: (key: string) => Promise<string | undefined>): Promise<boolean> {
    const key = session.current?.key;
    if (key === undefined || this.busy) return false;
    this.#show({ busy: true, said: "", problem: "" });
    try {
      this.#show({ busy: false, said: (await action(key)) ?? "" });
      return true;
    } catch (error) {
      this.#show({ busy: false, problem: messageOf(error) });
      return false;
    }
  }

  /** What became of it, for the eye and for a screen reader. */
  render() {
    return html`
      <p class="muted small" role="status">${this.said}</p>
      ${this.problem ? html`<p class="notice problem" role="alert">${this.problem}</p>` : nothing}
    `;
  }

  #show(state: Partial<Pick<Attempt, "busy" | "said" | "problem">>): void {
    Object.assign(this, state);
    this.#host.requestUpdate();
  }
}
