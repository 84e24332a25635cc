/** What is piped into a command, as text. */

import { usage } from "./failure.ts";

/** The pieces of stdin as they come. Refuses what is no text: the room would keep other characters than were meant. */
export async function* stdinText(signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw usage("stdin is not text (UTF-8).");
    }
  };
  const stop = () => process.stdin.destroy(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    for await (const chunk of process.stdin) yield decode(chunk as Uint8Array);
    yield decode();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
