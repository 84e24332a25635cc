import { build } from "vite";

/** The Worker at `entry` as one module, with everything in it that the runtime does not have. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "esnext",
      lib: { entry, formats: ["es"] },
      rolldownOptions: { external: [/^cloudflare:/, /^node:/] },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !("output" in output)) throw new Error(`${entry} can't be bundled.`);
  return output.output[0].code;
}
