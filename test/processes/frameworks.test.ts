/**
 * What docs/embedding.md gives to users of a framework, in an empty project that is built as they build it: the package
 * comes from the server, everything else from npm's registry. The room is live in the page that comes of it.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { type Key, Visitor } from "./security/visitor.ts";
import { freePort, Server } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/embedding.md"), "utf8");

interface Project {
  readonly packages: readonly string[];
  /** The project's files. A person's key is in the place of `KEY`. */
  files(): Readonly<Record<string, string>>;
  readonly build: string;
  readonly serve: (port: number) => string;
}

const TYPES = ["typescript@5.9.3", "@types/react@19.3.0", "@types/node@24.19.2"];
const REACT = ["react@19.3.1", "react-dom@19.3.1"];
const VITE = {
  build: "npx vite build",
  serve: (port: number) => `npx vite preview --port ${port} --strictPort`,
};
const page = (main: string) =>
  `<!doctype html><title>A page</title><link rel="icon" href="data:," /><div id="app"></div><script type="module" src="/${main}"></script>`;

const PROJECTS: Readonly<Record<string, Project>> = {
  React: {
    ...VITE,
    packages: [...REACT, "vite@8.3.8"],
    files: () => ({
      "index.html": page("main.tsx"),
      "room.tsx": example("React", "tsx"),
      "main.tsx": `import { createRoot } from "react-dom/client";
        import { Room } from "./room";
        createRoot(document.getElementById("app")!).render(<Room id="lobby" personKey="KEY" />);`,
      "tsconfig.json": `{ "compilerOptions": { "jsx": "react-jsx" } }`,
    }),
  },
  Vue: {
    ...VITE,
    packages: ["vue@3.5.45", "@vitejs/plugin-vue@6.0.11", "vite@8.3.8"],
    files: () => ({
      "index.html": page("main.js"),
      "room.vue": example("Vue", "vue"),
      "vite.config.js": example("Vue", "js"),
      "main.js": `import { createApp } from "vue";
        import Room from "./room.vue";
        createApp(Room, { id: "lobby", personKey: "KEY" }).mount("#app");`,
    }),
  },
  Svelte: {
    ...VITE,
    packages: ["svelte@5.57.3", "@sveltejs/vite-plugin-svelte@7.3.1", "vite@8.3.8"],
    files: () => ({
      "index.html": page("main.js"),
      "room.svelte": example("Svelte", "svelte"),
      "vite.config.js": `import { svelte } from "@sveltejs/vite-plugin-svelte";
        export default { plugins: [svelte()] };`,
      "main.js": `import { mount } from "svelte";
        import Room from "./room.svelte";
        mount(Room, { target: document.getElementById("app"), props: { id: "lobby", personKey: "KEY" } });`,
    }),
  },
  "Next.js": {
    packages: [...REACT, "next@16.4.6", ...TYPES],
    build: "npx next build",
    serve: (port) => `npx next start --port ${port}`,
    files: () => ({
      "app/room.tsx": example("React", "tsx"),
      "app/live-room.tsx": example("Next.js", "tsx"),
      "app/page.tsx": `import { LiveRoom } from "./live-room";
        export default function Page() {
          return <LiveRoom id="lobby" personKey="KEY" />;
        }`,
      "app/layout.tsx": `export default function Layout({ children }: { children: React.ReactNode }) {
        return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;
      }`,
    }),
  },
};

/** The first block of code in `language` below a heading of the document. */
function example(heading: string, language: string): string {
  const [text = ""] = (DOCUMENT.split(`\n## ${heading}\n`)[1] ?? "").split("\n## ");
  const [, code] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text) ?? [];
  if (code === undefined) throw new Error(`docs/embedding.md has no ${language} below “${heading}”.`);
  return code;
}

let server: Server;
let visitor: Visitor;
let ada: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  ada = await visitor.makeKey();
});

afterAll(async () => {
  await server?.remove();
});

describe.each(Object.entries(PROJECTS))("%s", (_, { packages, files, build, serve }) => {
  it("builds what the document gives, and the room is live in its page", async () => {
    using folder = new EmptyFolder();
    folder.write("package.json", `{ "name": "somebodys-page", "private": true, "type": "module" }`);
    for (const [name, text] of Object.entries(files())) {
      folder.write(name, text.replaceAll("https://meet-ai.cc", server.url).replaceAll("KEY", ada.key));
    }
    const built = folder.paste(`npm install --save-exact ${packages.join(" ")} ${server.url}/meet-ai.tgz && ${build}`, {
      NEXT_TELEMETRY_DISABLED: "1",
    });
    expect(await built.ended(500_000), built.output + built.errors).toBe(0);
    const port = await freePort();
    const serving = folder.paste(serve(port));
    await serving.prints(new RegExp(`localhost:\\S*${port}`));

    const visitors = await Visitors.of(`http://localhost:${port}`);
    try {
      const person = await visitors.newcomer();
      const heard: string[] = [];
      person.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
      await person.goto("/");
      const log = person.getByRole("log");
      await visitor.say("lobby", ada.key, "Said **elsewhere**.");
      await log.locator("strong", { hasText: "elsewhere" }).last().waitFor();
      await until("the page's own handler has heard it", () => heard.includes("log: Said **elsewhere**."));
      const text = `Said on port ${port}.`;
      await person.locator("meet-ai-room textarea").fill(text);
      await person.keyboard.press("Enter");
      const said = await until("the room has it", async () =>
        (await visitor.messages("lobby")).find(({ content }) => content === text),
      );
      expect(said.sender).toBe(ada.handle);
      const faults = (await visitors.leave()).filter((trouble) => !trouble.startsWith(`Asked ${server.url}/`));
      expect([...faults, ...heard.filter((line) => /^(error|warning)/.test(line))]).toEqual([]);
    } finally {
      await visitors.close();
    }
  });
});
