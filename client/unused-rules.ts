/**
 * A Vite plugin that leaves out of the Markdown parser the rules that `client/widget/prose/grammar.ts` removes, and what
 * parses again after an edit: they stand in tables and behind conditions, so that neither a bundler nor
 * `unused-methods.ts` sees that they are never used. What is left out throws if it is called after all.
 *
 * A name that the library does not have is an error, so that another version of it is looked at again.
 */

import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** Functions and classes, `table.rule`, and for an editor how each node is coloured, which then gives nothing. */
const UNUSED = [
  "DefaultBlockParsers.HTMLBlock",
  "DefaultLeafBlocks.LinkReference",
  "DefaultLeafBlocks.SetextHeading",
  "DefaultInline.HTMLTag",
  "DefaultInline.HardBreak",
  "FragmentCursor",
  "injectGaps",
  "markdownHighlighting",
];

const NEVER = "() => { throw Error(); }";

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: string;
  readonly id?: Node;
  readonly key?: Node;
  readonly init?: Node;
  readonly declarations?: readonly Node[];
  readonly properties?: readonly Node[];
}

export function withoutUnusedRules(): Plugin {
  return {
    name: "without-unused-rules",
    apply: "build",
    transform: {
      filter: { id: fileURLToPath(import.meta.resolve("@lezer/markdown")) },
      handler(code) {
        const found = [...named(this.parse(code).body as unknown as Node[])].filter(({ name }) =>
          UNUSED.includes(name),
        );
        if (found.length < UNUSED.length) {
          this.error(`@lezer/markdown has other rules than ${UNUSED.join(", ")}: see what it has instead.`);
        }
        const rest = found.reduceRight(
          (rest, { start, end, instead }) => rest.slice(0, start) + instead + rest.slice(end),
          code,
        );
        return { code: rest, map: null };
      },
    },
  };
}

/** What stands on the top level of the module, and the rules of its tables, with what can stand there instead. */
function* named(body: readonly Node[]) {
  for (const { id, start, end, declarations = [] } of body) {
    if (id?.name) yield { name: id.name, start, end, instead: `const ${id.name} = ${NEVER};` };
    for (const { id: table, init } of declarations) {
      if (table?.name && init) yield { name: table.name, start: init.start, end: init.end, instead: "() => null" };
      for (const { key, start, end } of init?.properties ?? []) {
        if (key) yield { name: `${table?.name}.${key.name}`, start, end, instead: `${key.name}: ${NEVER}` };
      }
    }
  }
}
