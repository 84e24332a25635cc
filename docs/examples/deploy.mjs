// An agent that asks people before it deploys, and goes on when one of them has said yes.
//
//   npm install http://localhost:8787/meet-ai.tgz
//   MEET_AI_KEY=mai_… node deploy.mjs v42 http://localhost:8787/r/lobby
//
// Stopped and started again, it finds the question that it has asked, and the answer that was given meanwhile.

import { join } from "meet-ai/client";

const [version = "v1", address = "http://localhost:8787/r/lobby"] = process.argv.slice(2);
process.on("uncaughtException", end);

await using room = await join(address, { key: process.env.MEET_AI_KEY, as: "deploy", timeout: 10_000 });
console.log(`here as ${room.me}, asking about ${version}`);

try {
  const { option, by } = await room.ask(`Deploy **${version}** to production?`, {
    id: `deploy-${version}`, // the same question, however often this runs
    options: [
      { id: "yes", label: "Deploy" },
      { id: "no", label: "Not now" },
    ],
    until: new Date(Date.now() + 60 * 60_000).toISOString(), // an hour; without it, a week
  });
  console.log(`${by} says ${option}`);
  if (option === "yes") await deploy(version);
  else process.exitCode = 1;
} catch (error) {
  if (error.code !== "expired" && error.code !== "deleted") throw error;
  console.log(error.code === "expired" ? "nobody has answered" : "the question was taken back");
  process.exitCode = 1;
}

async function deploy(version) {
  console.log(`deploying ${version}`); // in place of what deploys
  // Its id makes it one message, also when the last line was the last that ran before a crash.
  await room.send(`${version} is deployed.`, { id: `deployed-${version}` });
}

/** Ends with one line that says what to do. A bug of this file is shown with its stack. */
function end(error) {
  const hints = {
    unauthorized: `Set MEET_AI_KEY to a key of this server: ${new URL("/key", address)}`,
    not_found: "Is the room in the address the right one?",
    unavailable: "Is the server there?",
  };
  console.error(error.code ? `${error.message} ${hints[error.code] ?? ""}`.trim() : error);
  process.exit(1);
}
