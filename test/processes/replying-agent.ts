/**
 * An agent as its author would write it with `join`, in a process of its own that a test kills: it replies to each message of
 * a person, and notes in a file which ones its loop has handled.
 *
 *     node test/processes/replying-agent.ts URL CURSOR_FILE NOTES_FILE
 */

import { appendFileSync } from "node:fs";
import { fileCursor, join } from "../../client/stay/index.ts";

const [url = "", cursor = "", notes = ""] = process.argv.slice(2);
const room = await join(url, { key: process.env.MEET_AI_KEY, as: "echo", cursor: fileCursor(cursor) });
process.stdout.write(`here as ${room.me}\n`);

for await (const message of room.messages({ from: "people" })) {
  const reply = room.reply(message);
  // Another text each time, as a model would find: the reply is recognised by what it answers.
  for (const word of ["I ", "have ", "heard ", message.content, ` (${process.pid})`]) reply.write(word);
  await reply.end();
  appendFileSync(notes, `${message.seq}\n`);
}
