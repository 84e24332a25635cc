/**
 * A Vite plugin that leaves out methods which are never called. A bundler drops functions that are not used, and keeps
 * every method of a class that is: the Markdown parser's trees can be searched, compared and edited as an editor needs it.
 *
 * What is used is found by name, beginning with the modules that call: code is used if the name of what it belongs to
 * stands in code that is used. So a name that is put together at run time is not seen. The parser has none, and
 * `test/unit/unused-methods.test.ts` holds the parser that is left to the results of the whole one.
 */

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

export interface UnusedMethodsOptions {
  /** The packages whose classes lose methods. */
  readonly packages: readonly string[];
  /** The modules that use them, a glob. */
  readonly callers: string;
}

/** What the plugin reads of a syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: unknown;
}

/** Code that is used if its name is. */
interface Part {
  readonly name: string;
  /** Methods are called as members, everything else by a name alone. */
  readonly isMethod: boolean;
  readonly file: string;
  readonly node: Node;
}

export function withoutUnusedMethods({ packages, callers }: UnusedMethodsOptions): Plugin {
  const files = packages.map((name) => fileURLToPath(import.meta.resolve(name)));
  let unused: readonly Part[] = [];
  return {
    name: "without-unused-methods",
    apply: "build",
    // It goes by places in the files as they are.
    enforce: "pre",
    buildStart() {
      const use = new Use();
      for (const file of globSync(callers)) {
        if (!file.endsWith(".test.ts"))
          use.add(this.parse(readFileSync(file, "utf8"), { lang: "ts" }) as unknown as Node);
      }
      for (const file of files) use.addModule(this.parse(readFileSync(file, "utf8")) as unknown as Node, file);
      unused = use.unusedMethods();
    },
    transform: {
      filter: { id: files },
      handler(code, id) {
        const methods = unused.filter(({ file }) => file === id).toSorted((a, b) => b.node.start - a.node.start);
        return {
          code: methods.reduce((rest, { node }) => rest.slice(0, node.start) + rest.slice(node.end), code),
          map: null,
        };
      },
    },
  };
}

/** The names that stand in the code that is used, and the parts of which that is not known yet. */
class Use {
  readonly #names = new Set<string>();
  readonly #members = new Set<string>();
  #rest: Part[] = [];

  /** A module of which only what is used counts. Its statements run in any case, unless they only declare. */
  addModule(program: Node, file: string): void {
    for (const statement of program.body as readonly Node[]) {
      if (statement.type === "ExportNamedDeclaration" || statement.type === "ImportDeclaration") continue;
      const declared = declarations(statement);
      for (const [name, node] of declared) this.#rest.push({ name, isMethod: false, file, node });
      if (declared.length === 0) this.add(statement, file);
    }
  }

  /** Code that is used. The methods of a class are not yet. */
  add(node: unknown, file = ""): void {
    if (Array.isArray(node)) for (const one of node) this.add(one, file);
    if (!isNode(node)) return;
    const { type, computed, key, object, property } = node;
    const name = isNode(key) && !computed ? nameOf(key) : undefined;
    if (type === "MethodDefinition" && name !== undefined && name !== "constructor") {
      this.#rest.push({ name, isMethod: true, file, node });
      return;
    }
    if (type === "Identifier") this.#names.add(nameOf(node));
    if (type === "Literal") this.#members.add(nameOf(node));
    if (type === "Property" && name !== undefined) this.#members.add(name);
    if (type === "MemberExpression" && !computed) {
      this.#members.add(nameOf(property as Node));
      this.add(object, file);
    } else for (const part of Object.values(node)) this.add(part, file);
  }

  /** The methods that are not used, once everything was added. */
  unusedMethods(): readonly Part[] {
    const isUsed = ({ isMethod, name }: Part) => (isMethod ? this.#members : this.#names).has(name);
    for (let used: Part[]; ; ) {
      used = this.#rest.filter(isUsed);
      if (used.length === 0) return this.#rest.filter(({ isMethod }) => isMethod);
      this.#rest = this.#rest.filter((part) => !isUsed(part));
      for (const { isMethod, node, file } of used) this.add(isMethod ? node.value : node, file);
    }
  }
}

/** What a statement declares, and by assigning to a member of what it adds to that: names with code. */
function declarations(statement: Node): (readonly [string, Node])[] {
  const { type, id, declarations = [], expression } = statement;
  if (type === "FunctionDeclaration" || type === "ClassDeclaration") return [[nameOf(id as Node), statement]];
  if (type === "VariableDeclaration") {
    return (declarations as readonly Node[]).map((one) => [nameOf(one.id as Node), one]);
  }
  const { left } = isNode(expression) ? expression : statement;
  const owner = isNode(left) && left.type === "MemberExpression" ? left.object : undefined;
  return isNode(owner) && owner.type === "Identifier" ? [[nameOf(owner), statement]] : [];
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;

/** Of a name, or of a word that is written as a string. */
const nameOf = ({ name, value }: Node): string => String(name ?? value);
