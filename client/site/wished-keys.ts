/**
 * Keys that the page has made and the server has not answered for. They are kept for the tab before the server hears of
 * them: when its answer is lost, the same key is asked for again, also after a reload, and the handle is not lost with it.
 */

import { randomId } from "../stay/random-id.ts";

const STORED = "meet-ai-wished-keys";

/** By the handle that is wished for; empty: any. */
let wished: Record<string, string> = read();

export const wishedKeys = {
  /** The key for this handle; `undefined` where the page can't compute its hash: then the server makes it. */
  async keyFor(handle = ""): Promise<{ key: string; hash: string } | undefined> {
    // Only pages from https:// or from localhost have it.
    if (!crypto.subtle) return undefined;
    const key = wished[handle] ?? `mai_${randomId(24)}`;
    keep({ ...wished, [handle]: key });
    return { key, hash: await sha256(key) };
  },

  /** The server has answered. */
  forget(handle = ""): void {
    const { [handle]: _, ...others } = wished;
    keep(others);
  },
};

async function sha256(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function keep(keys: Record<string, string>): void {
  wished = keys;
  try {
    if (Object.keys(keys).length === 0) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, JSON.stringify(keys));
  } catch {
    // The browser keeps nothing: they last as long as the page.
  }
}

function read(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
  } catch {
    return {};
  }
}
