import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { compactTemplates } from "./client/compact-templates.ts";
import { withoutUnusedMethods } from "./client/unused-methods.ts";
import { withoutUnusedRules } from "./client/unused-rules.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const widgetEntry = path("client/widget/index.ts");
/** The file with which messages are rendered: the widget requests it by itself. */
const RENDERER = "log-renderer";

/**
 * What Lit needs of a browser to be loaded, for where there is none: a server that renders pages imports the element, too.
 * As names of this one file, so that nothing else on that server takes it for a browser; they cost the file 8 bytes.
 */
const withoutBrowser = "var { HTMLElement = Object, document = { createTreeWalker() {} } } = globalThis;";

/**
 * Tells Chromium to compile every function of a script while the script comes, beside the page's own thread, rather than
 * each when it is first called: what opens a room calls most of them. https://v8.dev/blog/explicit-compile-hints
 */
const compiledWithItsScript = "//# allFunctionsCalledOnLoad";

/**
 * Builds the site's pages and the widget into `dist/client`, which the Worker serves.
 *
 * `widget.js` keeps its name, because strangers' pages point at it, and holds all that it needs at once, because each
 * further file would be a further round trip for them. The site's scripts import Lit from it, so a page never has two.
 */
export default defineConfig({
  root: path("client/pages"),
  publicDir: path("client/public"),
  plugins: [
    includes(),
    preloadRenderer(),
    plainImports(),
    withoutDebugging(),
    withoutAdvice(),
    withoutStyleElements(),
    withoutStyleTags(),
    withoutUnusedMethods({ packages: ["@lezer/common", "@lezer/markdown"], callers: path("client/widget/prose/*.ts") }),
    withoutUnusedMethods({ packages: ["partysocket/ws"], callers: path("client/stay/reconnecting-socket.ts") }),
    withoutUnusedRules(),
    compactTemplates(),
  ],
  build: {
    outDir: path("dist/client"),
    emptyOutDir: true,
    // Every browser that knows `light-dark()`.
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // A page names all its scripts. The widget's parts are not preloaded: on a stranger's page they have other addresses.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_, files, { hostType }) => (hostType === "html" ? files : []),
    },
    assetsInlineLimit: 0,
    sourcemap: true,
    rolldownOptions: {
      // How long the build's parts took is no concern of somebody who starts it on a slow machine.
      checks: { bundlerTimings: false },
      input: {
        widget: widgetEntry,
        ...Object.fromEntries(
          ["index", "key", "rooms", "room", "admin", "404"].map((page) => [page, path(`client/pages/${page}.html`)]),
        ),
      },
      // `widget.js` exports its classes under their names, and what the site takes from it beside them.
      preserveEntrySignatures: "allow-extension",
      output: {
        // What is left of `console` is a dependency's advice about environments that no browser is.
        minify: { compress: { dropConsole: true }, mangle: true, codegen: true },
        postBanner: ({ name }) => (name === "widget" ? compiledWithItsScript : ""),
        intro: ({ name }) => (name === "widget" ? withoutBrowser : ""),
        entryFileNames: ({ name }) => (name === "widget" ? "widget.js" : "assets/[name]-[hash].js"),
        codeSplitting: {
          groups: [{ name: (id, graph) => (isNeededAtOnce(id, graph) ? "widget" : null), debugName: "widget" }],
        },
      },
    },
  },
});

interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** Whether `id` is the widget's entry or reached from it by static imports alone. */
function isNeededAtOnce(id: string, graph: ModuleGraph): boolean {
  const reached = new Set([widgetEntry]);
  for (const module of reached) {
    for (const imported of graph.getModuleInfo(module)?.importedIds ?? []) reached.add(imported);
  }
  return reached.has(id);
}

/**
 * Leaves an `import()` what it is: Vite wraps each into a loader of preloads, 2 KB in `widget.js`, even where there is
 * nothing to preload.
 */
function plainImports(): Plugin {
  return {
    name: "plain-imports",
    transform: (_, id) => (id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : null),
  };
}

/** Leaves out what partysocket would log to its own developers: like `console`, it would only be sent around. */
function withoutDebugging(): Plugin {
  // Each call, the method, and the logger that it would write to.
  const debugging = /^ *(this\._debug\([^;]*\);|_debug\(.*\n.*\n *\}|_debugLogger = .*)$/gm;
  return {
    name: "without-debugging",
    apply: "build",
    transform: {
      filter: { id: /\/partysocket\// },
      handler: (code) => ({ code: code.replace(debugging, ";"), map: null }),
    },
  };
}

/** Leaves out in what words a dependency refuses what only its own developers could do wrong: the errors themselves stay. */
function withoutAdvice(): Plugin {
  const advice = /(throw (?:new )?(?:Range)?Error\()(?:"[^"]*"|`[^`]*`)(?: ?\+ ?\w+(?: ?\+ ?"[^"]*")?)?\)/g;
  return {
    name: "without-advice",
    apply: "build",
    transform: {
      filter: { id: /\/node_modules\/@(?:lit|lezer)\// },
      handler: (code) => ({ code: code.replace(advice, "$1)"), map: null }),
    },
  };
}

/**
 * Leaves out what Lit does in browsers that can't share style sheets between shadow roots: none of those that the build is
 * for. Where there is no browser, nothing is shown.
 */
function withoutStyleElements(): Plugin {
  const canShare =
    /\w\.ShadowRoot&&\(void 0===[^)]*\)&&"adoptedStyleSheets"in Document\.prototype&&"replace"in CSSStyleSheet\.prototype/;
  return {
    name: "without-style-elements",
    apply: "build",
    transform: {
      filter: { id: /\/@lit\/reactive-element\/css-tag\.js$/ },
      handler: (code) => ({ code: code.replace(canShare, "!0"), map: null }),
    },
  };
}

/** Has the browser fetch the renderer with the scripts of a room's page, rather than when `widget.js` has come. */
function preloadRenderer(): Plugin {
  return {
    name: "preload-renderer",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle, filename }) => {
        const file = Object.values(bundle ?? {}).find((output) => output.type === "chunk" && output.name === RENDERER);
        if (!file || basename(filename) !== "room.html") return [];
        const attrs = { rel: "modulepreload", crossorigin: true, href: `/${file.fileName}` };
        return [{ tag: "link", attrs, injectTo: "head" }];
      },
    },
  };
}

/**
 * Leaves `@lezer/highlight` out. The Markdown parser names by its tags how an editor would colour each node, which nobody
 * asks here: the renderer goes by the names of the nodes.
 */
function withoutStyleTags(): Plugin {
  const id = "\0no-style-tags";
  return {
    name: "without-style-tags",
    apply: "build",
    enforce: "pre",
    resolveId: (source) => (source === "@lezer/highlight" ? id : null),
    load: (module) =>
      module === id
        ? "export class Tag {} export const tags = new Proxy(() => tags, { get: () => tags }); export const styleTags = () => () => null;"
        : null,
  };
}

/** Puts what all pages share into each, `<!-- include parts/header.html -->`, and marks a link to the page itself. */
function includes(): Plugin {
  const parts = path("client/pages/parts");
  return {
    name: "includes",
    buildStart() {
      for (const part of readdirSync(parts)) this.addWatchFile(resolve(parts, part));
    },
    transformIndexHtml: {
      order: "pre",
      handler: (html, { filename }) => {
        const address = `href="/${basename(filename, ".html")}"`;
        return include(html, dirname(filename)).replaceAll(address, `${address} aria-current="page"`);
      },
    },
  };
}

function include(html: string, folder: string): string {
  return html.replace(/ *<!-- include (\S+) -->\n/g, (_, part: string) =>
    include(readFileSync(resolve(folder, part), "utf8"), folder),
  );
}
