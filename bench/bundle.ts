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
      // One module, also where a part of it is loaded only when it is needed.
      rolldownOptions: { external: [/^cloudflare:/, /^node:/], output: { codeSplitting: false } },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !("output" in output)) throw new Error(`${entry} can't be bundled.`);
  return output.output[0].code;
}
