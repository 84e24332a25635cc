/** A cursor in a file of Node, Deno or Bun. */

import type { Cursor, CursorStore } from "./cursor.ts";
import { parseCursor } from "./kept-cursor.ts";
import { randomId } from "./random-id.ts";

/** What a cursor needs of Node's file system. */
interface FileSystem {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ readonly mtimeMs: number }>;
  rm(path: string): Promise<void>;
}

/** By a name that a bundler for browsers does not follow. */
const FILE_SYSTEM = "node:fs/promises";
/** No cursor takes so long to be written, ms. */
const LONGEST_WRITE = 60_000;

export async function open(path: string): Promise<CursorStore> {
  const fileSystem: FileSystem = await import(
    /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ FILE_SYSTEM
  );
  return new CursorFile(path, fileSystem);
}

class CursorFile implements CursorStore {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  /** Of its own: another program that keeps its cursor in the same file would move this one's away. */
  readonly #unfinished: string;

  constructor(path: string, fileSystem: FileSystem) {
    this.#path = path;
    this.#fileSystem = fileSystem;
    this.#unfinished = `${path}.${randomId(8)}.new`;
  }

  async load(): Promise<Cursor | undefined> {
    // Where that is not possible, nothing depends on it.
    await this.#removeUnfinished().catch(() => {});
    try {
      return parseCursor(await this.#fileSystem.readFile(this.#path, "utf8"), this.#path);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async save(cursor: Cursor): Promise<void> {
    await this.#fileSystem.writeFile(this.#unfinished, JSON.stringify(cursor));
    await this.#fileSystem.rename(this.#unfinished, this.#path);
  }

  /** Removes what programs have left beside the file that ended while they wrote. */
  async #removeUnfinished(): Promise<void> {
    const { readdir, rm, stat } = this.#fileSystem;
    const [, folder = "./", name = this.#path] = /^(.*[/\\])([^/\\]+)$/s.exec(this.#path) ?? [];
    for (const other of await readdir(folder)) {
      if (!other.startsWith(`${name}.`) || !other.endsWith(".new")) continue;
      const { mtimeMs } = await stat(folder + other);
      if (mtimeMs < Date.now() - LONGEST_WRITE) await rm(folder + other);
    }
  }
}
