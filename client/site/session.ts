/**
 * The key in use, and where the person wants it kept: in this page's memory alone, for the other pages of this tab, or on
 * this device. It starts out kept in the tab, so that the next page knows the person, and goes with the tab.
 */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { ApiError, createKey, type Identity, identify, isRefusal, type Room, revokeKey, rotateKey } from "./api.ts";
import { wishedKeys } from "./wished-keys.ts";

const STORED = "meet-ai-key";

/** How long the key is kept: as long as this page, as the tab, or until somebody lets go of it on this device. */
export type Keeping = "page" | "tab" | "device";

export interface KeyInUse {
  key: string;
  identity: Identity;
  /** Made on this page just now, so this is the one time that it can be shown. */
  fresh: boolean;
}

class Session extends EventTarget {
  current: KeyInUse | undefined;
  #kept: Keeping = "page";
  /** Whether a fresh key has been copied or kept. */
  saved = false;

  constructor() {
    super();
    this.#restore();
    addEventListener("beforeunload", (event) => {
      if (this.current?.fresh && !this.saved && this.kept === "page") event.preventDefault();
    });
    // What another tab does with the key of this device is done here, too.
    addEventListener("storage", ({ key }) => {
      if (this.kept === "device" && (key === STORED || key === null) && !this.#restore()) this.forget();
    });
  }

  get kept(): Keeping {
    return this.#kept;
  }

  /** Keeps the key for so long. */
  set kept(kept: Keeping) {
    const before = this.#kept;
    this.#kept = kept;
    this.#store(before);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Makes a key and uses it, with this handle or with one of two words. An answer that is lost loses nothing: asked for
   * again, it is the same key. Throws ApiError.
   */
  async create(handle?: string): Promise<void> {
    const wished = await wishedKeys.keyFor(handle);
    try {
      const { key = wished?.key as string, ...identity } = await createKey({ handle, keyHash: wished?.hash });
      this.#begin({ key, identity, fresh: true });
    } catch (error) {
      // Otherwise the key may have been made.
      if (error instanceof ApiError && error.isAnswer) wishedKeys.forget(handle);
      throw error;
    }
    wishedKeys.forget(handle);
  }

  /** Uses a key that somebody has. Throws ApiError. */
  async use(key: string): Promise<void> {
    this.#begin({ key, identity: await identify(key), fresh: false });
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
    this.#set(undefined);
    this.#kept = "page";
  }

  markSaved(): void {
    this.saved = true;
  }

  #begin(current: KeyInUse): void {
    this.#kept = "tab";
    this.#set(current);
  }

  #set(current: KeyInUse | undefined): void {
    this.current = current;
    this.saved = false;
    this.#store();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Takes up what another page has kept, at once; the server is asked whether it still holds. What this tab keeps is newer
   * than what the device does. Whether there was something.
   */
  #restore(): boolean {
    const inTab = readKept(() => sessionStorage);
    const kept = inTab ?? readKept(() => localStorage);
    if (!kept) return false;
    this.#kept = inTab ? "tab" : "device";
    if (kept.key === this.current?.key) return true;
    this.current = { ...kept, fresh: false };
    this.dispatchEvent(new Event("change"));
    this.#confirm(kept.key);
    return true;
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

  /** Puts the key where it is kept now, and takes it away from where it was kept before. */
  #store(before = this.#kept): void {
    const stores = { page: undefined, tab: () => sessionStorage, device: () => localStorage } as const;
    try {
      if (before !== this.#kept || !this.current) stores[before]?.().removeItem(STORED);
      if (!this.current) return;
      const { key, identity } = this.current;
      stores[this.#kept]?.().setItem(STORED, JSON.stringify({ key, identity }));
    } catch {
      // The browser keeps nothing.
      this.#kept = "page";
    }
  }
}

function readKept(storage: () => Storage): { key: string; identity: Identity } | undefined {
  try {
    return JSON.parse(storage().getItem(STORED) ?? "null") ?? undefined;
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

  /** Whether the key in use made `room`. */
  owns(room: Pick<Room, "createdBy"> | undefined): boolean {
    const handle = this.current?.identity.handle;
    return handle !== undefined && room?.createdBy === handle;
  }

  hostConnected(): void {
    session.addEventListener("change", this.#update);
  }

  hostDisconnected(): void {
    session.removeEventListener("change", this.#update);
  }

  readonly #update = () => this.#host.requestUpdate();
}
