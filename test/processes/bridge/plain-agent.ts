/**
 * A command that knows nothing of rooms: it reads the prompt, and answers with the words `q-1`, `q-2` … that are to be
 * answered; or does what they say (`do:binary`).
 */

import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const prompt = await text(process.stdin);
const asked = prompt.split("\n# To answer\n").at(-1) ?? "";
const [, deed = "answer"] = /do:([a-z]+)/.exec(asked) ?? [];

switch (deed) {
  case "binary":
    process.stdout.write(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0xff]));
    await pause(3_600_000);
    break;
  case "huge":
    for (let chunk = 0; chunk < 1_600; chunk++) {
      if (!process.stdout.write("x".repeat(65_536)))
        await new Promise((resolve) => process.stdout.once("drain", resolve));
    }
    break;
  case "never":
    process.stdout.write("I begin");
    process.on("SIGTERM", () => {});
    await pause(3_600_000);
    break;
  case "fail":
    console.error("the reason is secret");
    process.exitCode = 3;
    break;
  case "colours":
    process.stdout.write("\u001b[3");
    await pause(20);
    process.stdout.write("1mred\u001b[0m and \u001b]0;title\u0007plain");
    break;
  case "secret":
    process.stdout.write(
      `There is ${Object.values(process.env).some((value) => value?.includes("mai_")) ? "a" : "no"} key.`,
    );
    break;
  case "all":
    process.stdout.write(prompt);
    break;
  default:
    for (const word of asked.match(/q-\d+/g) ?? ["Hello."]) {
      process.stdout.write(`${word} `);
      await pause(5);
    }
}
