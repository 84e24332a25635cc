/**
 * A Vite plugin that takes the layout out of components' style sheets and templates, which a minifier of scripts leaves
 * as they are: to it they are text. Half a kilobyte of `widget.js` is indentation otherwise.
 */

import type { Plugin } from "vite";

export function compactTemplates(): Plugin {
  return {
    name: "compact-templates",
    apply: "build",
    // After TypeScript has become what the parser reads.
    enforce: "post",
    transform: {
      filter: { id: /\/client\/.*\.ts$/ },
      handler(code) {
        const pieces: { start: number; end: number; text: string }[] = [];
        for (const { tag, quasi } of taggedTemplates(this.parse(code))) {
          const compact = COMPACT[tag.name as string];
          if (!compact) continue;
          for (const { start, end } of quasi.quasis) pieces.push({ start, end, text: compact(code.slice(start, end)) });
        }
        return { code: replaced(code, pieces), map: null };
      },
    },
  };
}

const COMPACT: Readonly<Record<string, (text: string) => string>> = {
  css: compactStyles,
  html: compactMarkup,
};

/** To HTML, a line break and what indents the next line are one space, and a value of one word needs no quotes. */
function compactMarkup(html: string): string {
  return html.replace(/\s*\n\s*/g, " ").replace(/(?<=[\w-]=)"([\w-]+)"(?=[ >])/g, "$1");
}

/**
 * The same rules without comments, without the spaces that mean nothing and without the zero before a point. A space before
 * a colon means something, as those around the operators of `calc()` do.
 */
function compactStyles(css: string): string {
  return css
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,>]) ?/g, "$1")
    .replace(/(?<=\() | (?=\))| ?\/ ?/g, (found) => found.trim())
    .replace(/(?<![\d.\w])0(?=\.\d)/g, "")
    .replaceAll(": ", ":")
    .replaceAll(";}", "}")
    .trim();
}

interface TaggedTemplate {
  readonly type: "TaggedTemplateExpression";
  readonly tag: { readonly name?: string };
  readonly quasi: { readonly quasis: readonly { readonly start: number; readonly end: number }[] };
}

function* taggedTemplates(node: unknown): Generator<TaggedTemplate> {
  if (typeof node !== "object" || node === null) return;
  if ((node as TaggedTemplate).type === "TaggedTemplateExpression") yield node as TaggedTemplate;
  for (const child of Object.values(node)) yield* taggedTemplates(child);
}

function replaced(code: string, pieces: readonly { start: number; end: number; text: string }[]): string {
  let result = code;
  for (const { start, end, text } of pieces.toSorted((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + text + result.slice(end);
  }
  return result;
}
