#!/usr/bin/env node
/**
 * The command `meet-ai`: loads the command that is asked for and ends with its exit code. It loads nothing else before it
 * has said its first word.
 */

import type { Surroundings } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { Cancelled, failureOf, usage } from "./failure.ts";
import { processOutput } from "./output.ts";

/** How long what is under way may take when the command is done, ms. */
const LAST_WORDS = 3_000;

const { env } = process;
const output = processOutput(env);

async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "version") {
    const { default: about } = await import("../../package.json", { with: { type: "json" } });
    await output.line(about.version);
    return EXIT.done;
  }
  if (name === undefined || name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    const { HELP } = await import("./help.ts");
    await output.write(HELP);
    return EXIT.done;
  }
  const asked = name === "help" ? rest[0] : name;
  const entry = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
  if (!entry) {
    const { nearest } = await import("./help.ts");
    const meant = nearest(String(asked), Object.keys(COMMANDS));
    throw usage(`There is no command "${asked}". ${meant ? `Is it ${meant}? ` : ""}See: meet-ai --help`);
  }
  const command = await entry.load();
  // Behind "--" stand others' options.
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (name === "help" || own.includes("--help") || own.includes("-h")) {
    await output.write(command.help);
    return EXIT.done;
  }
  const surroundings: Surroundings = { args: rest, env, output, signal: cancelling() };
  return command.run(surroundings);
}

/** Aborted by the first Ctrl-C or SIGTERM; the second ends the process where it is. */
function cancelling(): AbortSignal {
  const over = new AbortController();
  const cancel = () => {
    if (over.signal.aborted) process.exit(EXIT.cancelled);
    over.abort(new Cancelled());
  };
  process.on("SIGINT", cancel);
  process.on("SIGTERM", cancel);
  return over.signal;
}

// Who reads has had enough: `meet-ai tail lobby | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.machine);
});

let exit: ExitCode;
try {
  exit = await main(process.argv.slice(2));
} catch (error) {
  const failure = failureOf(error);
  exit = failure.exit;
  if (failure.line) output.note(`meet-ai: ${failure.line}`);
  if (env.MEET_AI_DEBUG) console.error(error);
}
// It ends by itself: what was written to a pipe is on its way then, and the room has heard that its connection was closed.
process.exitCode = exit;
setTimeout(() => process.exit(exit), LAST_WORDS).unref();
