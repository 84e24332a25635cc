/**
 * Writes `custom-elements.json`, which editors and documentation tools read, from the class in `element/meet-ai-room.ts`
 * and its comment: `node client/widget/custom-elements.ts`. A test holds the file against the class.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
// @ts-expect-error: the analyzer's types leave out what it exports.
import { create, ts } from "@custom-elements-manifest/analyzer";
// @ts-expect-error: it has none for its plugins.
import { litPlugin } from "@custom-elements-manifest/analyzer/src/features/framework-plugins/lit/lit.js";

interface Named {
  readonly name: string;
  readonly privacy?: string;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const ELEMENT = "element/meet-ai-room.ts";

/** The manifest, in version 1 of the community's schema. */
export function manifest(): object {
  const source = readFileSync(path(ELEMENT), "utf8");
  const analyzed = create({
    modules: [ts.createSourceFile(ELEMENT, source, ts.ScriptTarget.ES2022, true)],
    plugins: litPlugin(),
  });
  const [element] = analyzed.modules[0].declarations;
  const published = ({ name, privacy }: Named) => privacy !== "private" && name !== "showsPeople";
  const declaration = { name: element.name };
  return {
    ...analyzed,
    readme: "docs/embedding.md",
    modules: [
      {
        kind: "javascript-module",
        // A page has the element from the one file that a server has of it.
        path: "widget.js",
        declarations: [
          {
            ...element,
            // It defines itself by a function that the analyzer does not know.
            tagName: "meet-ai-room",
            // The analyzer takes a state for an attribute, and the arguments of an event for its name.
            attributes: element.attributes.filter(published),
            members: element.members.filter(published),
            events: element.events.filter(({ name }: Partial<Named>) => name?.startsWith("meet-ai-")),
          },
        ],
        exports: [
          { kind: "custom-element-definition", name: "meet-ai-room", declaration },
          { kind: "js", name: element.name, declaration },
        ],
      },
    ],
  };
}

/** The file's text. */
export const manifestText = (): string => `${JSON.stringify(manifest(), null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(path("../../custom-elements.json"), manifestText());
