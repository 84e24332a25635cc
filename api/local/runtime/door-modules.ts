/** The Worker of `api/door/` as the runtime takes it: its files by their paths in this repository, without types. */

import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, posix } from "node:path";

export interface RuntimeModule {
  readonly name: string;
  readonly esModule: string;
}

/** The module `entry` first, then all that it imports. Paths are relative to `root`. */
export function modulesFrom(root: string, entry: string): RuntimeModule[] {
  const modules = new Map<string, RuntimeModule>();
  const add = (name: string): void => {
    if (modules.has(name)) return;
    const esModule = stripTypeScriptTypes(readFileSync(join(root, name), "utf8"));
    modules.set(name, { name, esModule });
    for (const [, path] of esModule.matchAll(RELATIVE_IMPORT)) add(posix.join(posix.dirname(name), path as string));
  };
  add(entry);
  return [...modules.values()];
}

const RELATIVE_IMPORT = /\bfrom "(\.{1,2}\/[^"]+)"/g;
