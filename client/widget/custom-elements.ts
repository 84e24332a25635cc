/**
 * Writes `custom-elements.json`, which editors and documentation tools read, from the comment and the properties of the
 * class in `element/meet-ai-room.ts`: `node client/widget/custom-elements.ts`. A test holds the file against the class.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** One line of the class comment: `@csspart log - The list.`, `@cssproperty [--x=1px] - …`, `@event {Type} name - …`. */
const TAG = /^@(\w+) (?:\{(\w+)\} )?\[?([\w-]+)(?:=([^\]]+))?\]? - (.+)$/;

interface Tag {
  readonly kind: string;
  readonly type: string | undefined;
  readonly name: string;
  readonly value: string | undefined;
  readonly description: string;
}

/** The manifest, in version 1 of the community's schema. */
export function manifest(): object {
  const source = readFileSync(path("element/meet-ai-room.ts"), "utf8");
  const [, comment = "", body = ""] =
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport class MeetAiRoom([\s\S]*)/.exec(source) ?? [];
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, "").trim());
  const tags = lines.map((line) => TAG.exec(line)).filter((found) => found !== null);
  const all = tags.map(([, kind, type, name, value, description]) => ({ kind, type, name, value, description }) as Tag);
  const of = (kind: string) => all.filter((tag) => tag.kind === kind);
  const plain = ({ name, description }: Tag) => ({ name, description });
  const start = lines.findIndex((line) => line.startsWith("@summary"));
  return {
    schemaVersion: "1.0.0",
    readme: "docs/embedding.md",
    modules: [
      {
        kind: "javascript-module",
        path: "widget.js",
        declarations: [
          {
            kind: "class",
            customElement: true,
            name: "MeetAiRoom",
            tagName: "meet-ai-room",
            summary: lines[start]?.replace("@summary ", ""),
            description: lines
              .slice(
                start + 1,
                lines.findIndex((line) => line.startsWith("@slot")),
              )
              .join(" ")
              .trim(),
            superclass: { name: "LitElement", package: "lit" },
            attributes: properties(body)
              .filter(({ attribute }) => attribute)
              .map(({ attribute, ...rest }) => rest),
            members: [
              ...properties(body).map(({ attribute, ...rest }) => ({
                kind: "field",
                ...rest,
                ...(attribute && { attribute: rest.name }),
              })),
              ...methods(body),
            ],
            slots: of("slot").map(plain),
            cssParts: of("csspart").map(plain),
            cssProperties: of("cssproperty").map((tag) => ({
              ...plain(tag),
              ...(tag.value && { default: tag.value }),
            })),
            cssStates: of("cssstate").map(plain),
            events: of("event").map((tag) => ({ ...plain(tag), type: { text: tag.type } })),
          },
        ],
        exports: [
          { kind: "custom-element-definition", name: "meet-ai-room", declaration: { name: "MeetAiRoom" } },
          { kind: "js", name: "MeetAiRoom", declaration: { name: "MeetAiRoom" } },
        ],
      },
    ],
  };
}

interface Property {
  readonly name: string;
  readonly type: { readonly text: string };
  readonly description: string;
  readonly attribute: boolean;
}

/** Public properties: declared with a comment, or an accessor with one. */
function properties(body: string): Property[] {
  const declared = [...body.matchAll(/\n {2}\/\*\* (.+) \*\/\n {2}declare (\w+): (.+);/g)].map(
    ([, description, name, type]) => ({ name, type: { text: type }, description, attribute: true }) as Property,
  );
  const accessors = [...body.matchAll(/\n {2}\/\*\*\n((?: {3}\* .+\n)+) {3}\*\/\n {2}get (\w+)\(\): (.+) \{/g)].map(
    ([, text = "", name, type]) =>
      ({
        name,
        type: { text: type },
        description: text.replace(/\s*\n? {3}\* /g, " ").trim(),
        attribute: false,
      }) as Property,
  );
  return [...declared, ...accessors];
}

/** Public methods: those with a comment, but for Lit's own. */
function methods(body: string): object[] {
  const found = body.matchAll(/\n {2}\/\*\* (.+) \*\/\n {2}(?:override )?(?:async )?(\w+)\((.*)\): (.+) \{/g);
  return [...found].map(([, description, name, parameters, returned]) => ({
    kind: "method",
    name,
    description,
    parameters: (parameters ?? "")
      .split(", ")
      .filter(Boolean)
      .map((parameter) => {
        const [name = "", type = ""] = parameter.split(": ");
        return { name: name.replace("?", ""), ...(name.endsWith("?") && { optional: true }), type: { text: type } };
      }),
    return: { type: { text: returned } },
  }));
}

/** The file's text. */
export const manifestText = (): string => `${JSON.stringify(manifest(), null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(path("../../custom-elements.json"), manifestText());
