/**
 * The key in use. It lives in this page's memory. It is kept for the other pages of this tab only while the person wants
 * that, which a box beside the key asks, and never longer than the tab. It starts out kept when it was made here, because
 * nobody else has it yet.
 */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { createKey, type Identity, identify, isRefusal, revokeKey, rotateKey } from "./api.ts";

const STORED = "meet-ai-key";

export interface KeyInUse {
  key: string;
  identity: Identity;
  /** Made on this page just now, so this is the one time that it can be shown. */
  fresh: boolean;
}

class Session extends EventTarget {
  current: KeyInUse | undefined;
  /** Whether the key stays for the other pages of this tab. */
  kept = false;
  /** Whether a fresh key has been copied or kept. */
  saved = false;

  constructor() {
    super();
    this.#restore();
    addEventListener("beforeunload", (event) => {
      if (this.current?.fresh && !this.saved && !this.kept) event.preventDefault();
    });
  }

  /** Makes a key and uses it. Throws ApiError. */
  async create(): Promise<void> {
    const { key, ...identity } = await createKey();
    this.kept = true;
    this.#set({ key, identity, fresh: true });
  }

  /** Uses a key that somebody has. Throws ApiError. */
  async use(key: string): Promise<void> {
    this.#set({ key, identity: await identify(key), fresh: false });
  }

  /** Replaces the key; its handle stays. Throws ApiError. */
  async rotate(): Promise<void> {
    if (!this.current) return;
    const { key, ...identity } = await rotateKey(this.current.key);
    // It is shown before it is used: its first use ends the old key.
    this.#set({ key, identity: { ...this.current.identity, ...identity }, fresh: true });
    await identify(key).catch(() => undefined);
  }

  /** Ends the key for ever. Throws ApiError. */
  async revoke(): Promise<void> {
    if (!this.current) return;
    await revokeKey(this.current.key);
    this.forget();
  }

  /** Lets go of the key here; it stays valid. */
  forget(): void {
    this.kept = false;
    this.#set(undefined);
  }

  /** Keeps the key for this tab, or no longer. */
  set keep(keep: boolean) {
    this.kept = keep;
    this.#store();
    this.dispatchEvent(new Event("change"));
  }

  markSaved(): void {
    this.saved = true;
  }

  #set(current: KeyInUse | undefined): void {
    this.current = current;
    this.saved = false;
    this.#store();
    this.dispatchEvent(new Event("change"));
  }

  /** Takes up what another page of this tab has kept, at once; the server is asked whether it still holds. */
  #restore(): void {
    const kept = readKept();
    if (!kept) return;
    this.kept = true;
    this.current = { ...kept, fresh: false };
    this.#confirm(kept.key);
  }

  async #confirm(key: string): Promise<void> {
    try {
      const identity = await identify(key);
      if (this.current?.key === key) this.#set({ key, identity, fresh: false });
    } catch (error) {
      // A server out of reach says nothing about the key.
      if (this.current?.key === key && isRefusal(error, "unauthorized")) this.forget();
    }
  }

  #store(): void {
    try {
      if (this.kept && this.current) {
        const { key, identity } = this.current;
        sessionStorage.setItem(STORED, JSON.stringify({ key, identity }));
      } else {
        sessionStorage.removeItem(STORED);
      }
    } catch {
      this.kept = false;
    }
  }
}

function readKept(): { key: string; identity: Identity } | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? "null") ?? undefined;
  } catch {
    // Storage is off, so nothing was kept.
    return undefined;
  }
}

/** This page's one session. */
export const session = new Session();

/** Renders its host again whenever the session changes. */
export class SessionController implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get current(): KeyInUse | undefined {
    return session.current;
  }

  hostConnected(): void {
    session.addEventListener("change", this.#update);
  }

  hostDisconnected(): void {
    session.removeEventListener("change", this.#update);
  }

  readonly #update = () => this.#host.requestUpdate();
}
