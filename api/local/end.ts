/** Ends of a start that its user can mend: one line, and no stack. */

/** Ends the process with a line about what its user can mend. */
export function end(line: string): never {
  console.error(line);
  process.exit(1);
}

/** Ends the process with a line that says so when `error` is about a taken port; throws any other error again. */
export function endIfTaken(error: unknown, port: number): never {
  const { code } = error as { code?: unknown };
  if (code !== "ERR_ADDRESS_IN_USE" && code !== "EADDRINUSE") throw error;
  return end(`Port ${port} is taken: another server runs there. Choose another one, as in PORT=${port + 1} npm start.`);
}
