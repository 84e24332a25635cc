/** The lists in the documents are those of the source: routes with their fields, codes, variables, tables, links. */

import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { CLOSE, ERROR_STATUS } from "../../party/protocol.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** The rows of all tables of a document. */
const rowsOf = (file: string) =>
  read(file)
    .split("\n")
    .filter((line) => line.startsWith("| "));

it.each(globSync("{*.md,docs/*.md}", { cwd: ROOT }))("%s says nothing twice", (file) => {
  const paragraphs = read(file)
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.length > 120 && !/^(```|[|<{]| {2})/.test(paragraph));
  expect(paragraphs.filter((paragraph, place) => paragraphs.indexOf(paragraph) < place)).toEqual([]);
});

describe("docs/protocol.md", () => {
  interface Operation {
    readonly parameters?: readonly { readonly in: string; readonly name: string }[];
    readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  }
  interface Schema {
    readonly $ref?: string;
    readonly properties?: object;
  }
  const { paths, components } = JSON.parse(read("openapi.json")) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const rows = rowsOf("docs/protocol.md").map((row) => row.replaceAll("…/", "/api/rooms/:id/"));
  // Sockets have a section of their own, and a description of routes need not describe itself.
  const apart = ["/api/rooms/{id}/ws", "/parties/chat-room/{id}", "/openapi.json"];
  const operations = Object.entries(paths)
    .filter(([path]) => !apart.includes(path))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const schema = operation.requestBody?.content["application/json"]?.schema;
        const body = schema?.$ref ? components.schemas[schema.$ref.split("/").at(-1) ?? ""] : schema;
        const query = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
        const fields = [...Object.keys(body?.properties ?? {}), ...query.map(({ name }) => name)];
        return { route: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`, fields };
      }),
    );

  it.each(operations)("has $route with all that may be asked there", ({ route, fields }) => {
    const named = rows.filter((row) => row.includes(`\`${route}\``) || row.includes(`\`${route}?`));
    expect(named).not.toEqual([]);
    for (const field of fields) expect(named.join("\n")).toMatch(new RegExp(`\\b${field}\\b`));
  });

  it.each(Object.entries(ERROR_STATUS))("has the error %s with the status %i", (code, status) => {
    expect(rows.filter((row) => row.startsWith(`| \`${code}\` | ${status}`))).toHaveLength(1);
  });

  it.each(Object.entries(CLOSE))("has the close code for %s, %i", (_, code) => {
    expect(rows.filter((row) => row.startsWith(`| ${code} |`))).toHaveLength(1);
  });
});

describe("docs/self-hosting.md", () => {
  const variablesOf = (env?: string) => unstable_readConfig({ config: join(ROOT, "wrangler.toml"), env }).vars;

  it("has each variable of wrangler.toml with its default", () => {
    for (const [name, value] of Object.entries(variablesOf())) {
      const [row = "", ...others] = rowsOf("docs/self-hosting.md").filter((row) => row.includes(`\`${name}\``));
      expect([name, others]).toEqual([name, []]);
      const [, names = "", defaults = ""] = row.split("|");
      const place = names.split(",").findIndex((text) => text.includes(`\`${name}\``));
      expect([name, defaults.split(",")[place]?.trim()]).toEqual([name, value]);
    }
  });

  it("is right that production sets the same variables", () => {
    expect(Object.keys(variablesOf("production"))).toEqual(Object.keys(variablesOf()));
  });
});

describe("docs/operations.md", () => {
  it("says what each table of D1 holds", () => {
    const migrations = readdirSync(join(ROOT, "migrations")).map((file) => read(`migrations/${file}`));
    const namesIn = (statement: string) =>
      [...migrations.join("\n").matchAll(new RegExp(`^${statement} TABLE (\\w+)`, "gm"))].map(([, name]) => name);
    const dropped = new Set(namesIn("DROP"));
    const tables = namesIn("CREATE").filter((name) => !dropped.has(name));
    const stores = rowsOf("docs/operations.md").find((row) => row.startsWith("| D1 |")) ?? "";
    for (const table of tables) expect(stores).toContain(`\`${table}\``);
  });
});

describe("links", () => {
  const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, "");
  const anchorsOf = (file: string) =>
    [...withoutCode(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\- ]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(["README.md", "CHANGELOG.md", ...globSync("docs/*.md", { cwd: ROOT })])("of %s lead somewhere", (file) => {
    for (const [, link = ""] of withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : normalize(join(dirname(file), path));
      expect([link, existsSync(join(ROOT, target))]).toEqual([link, true]);
      if (anchor !== undefined) expect([link, anchorsOf(target)]).toEqual([link, expect.arrayContaining([anchor])]);
    }
  });
});
