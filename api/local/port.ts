/** The port that `PORT` names, and a line a person can act on when it can't be had. */

/** `PORT`, or 8787. Ends the process with a line that says why when it is no port. */
export function portFromEnvironment(): number {
  const text = process.env.PORT ?? "8787";
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return end(`PORT must be a number from 0 to 65535, not "${text}".`);
}

/** Ends the process with a line that says so when `error` is about a taken port; throws any other error again. */
export function endIfTaken(error: unknown, port: number): never {
  const { code } = error as { code?: unknown };
  if (code !== "ERR_ADDRESS_IN_USE" && code !== "EADDRINUSE") throw error;
  return end(`Port ${port} is taken: another server runs there. Choose another one, as in PORT=${port + 1} npm start.`);
}

function end(line: string): never {
  console.error(line);
  process.exit(1);
}
