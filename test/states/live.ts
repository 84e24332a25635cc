/**
 * Something of everything that a server keeps, done at one of this version, for later versions to go on from. At a release:
 *
 *     node test/states/live.ts
 *
 * writes down the state folder that it has left as test/states/VERSION.json. It needs the Worker to be built.
 */

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join as path } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import { root } from "../../api/local/root.ts";
import { join } from "../../client/stay/index.ts";
import type { Message } from "../../party/protocol.ts";
import { READING, Server } from "../processes/server.ts";
import { until } from "../processes/until.ts";
import { read } from "./state-folder.ts";

/** What is fixed, so that a test can say it again. All of it is made up, and opens nothing anywhere. */
export const LIFE = {
  /** Each of these is its handle, too. */
  keys: {
    "old-ann": "mai_of-ann-who-owns-the-rooms",
    "old-ben": "mai_of-ben-who-is-a-moderator",
    "old-cat": "mai_of-cat-who-reads-in-the-attic",
    "old-dan": "mai_of-dan-before-the-rotation",
    "old-eve": "mai_of-eve-who-has-ended-her-key",
    "old-fay": "mai_of-fay-who-talks-in-the-hall",
    "old-gus": "mai_of-gus-who-talks-in-the-hall",
    "old-hal": "mai_of-hal-who-talks-in-the-hall",
  },
  rotated: "mai_of-dan-after-the-rotation",
  guest: "the-secret-of-a-guest-of-old",
  invite: { role: "member", uses: 5, expires: null },
  site: "acme",
  instructions: "Be brief, and say where you know it from.",
  ask: {
    question: "Shall the attic be swept?",
    options: [
      { id: "yes", label: "Yes" },
      { id: "no", label: "No" },
    ],
  },
} as const;

/** The quotas of a server, which it tells its clients. */
export const QUOTAS = { GUEST_MESSAGES_PER_MINUTE: "5", KEY_MESSAGES_PER_MINUTE: "60" };

type Who = keyof typeof LIFE.keys;

/** Ed25519 (RFC 8410: its PKCS #8 form is these bytes and 32 of one's own). */
const siteKey = createPrivateKey({
  key: Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    createHash("sha256").update("a site of old").digest(),
  ]),
  format: "der",
  type: "pkcs8",
});

/** What a server of the site would sign for its user `sub`, for the meet-ai server at `origin`. */
export function tokenFor(sub: string, origin: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const claims = { iss: LIFE.site, aud: origin, sub, name: "Anna Lind", rooms: ["*"], exp };
  const text = [{ alg: "EdDSA", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign(null, Buffer.from(text), siteKey).toString("base64url")}`;
}

const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

function packsOf(server: Server): number {
  const database = new DatabaseSync(server.databaseFile, READING);
  try {
    return database.prepare("SELECT COUNT(*) AS count FROM packs").get()?.count as number;
  } finally {
    database.close();
  }
}

/** Lives at `server`, until D1 has all of it. */
async function live(server: Server): Promise<void> {
  const call = async (method: string, route: string, authorization: string, body?: object, from = "192.0.2.1") => {
    const response = await fetch(server.url + route, {
      method,
      headers: {
        "x-forwarded-for": from,
        ...(authorization !== "" && { authorization }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  const as = (who: Who) => `Bearer ${LIFE.keys[who]}`;
  const say = (who: Who, room: string, message: object) =>
    call("POST", `/api/rooms/${room}/messages`, as(who), message) as Promise<Message>;
  const operator = `Operator ${readOperatorSecret(server.stateDir)}`;

  for (const [handle, key] of Object.entries(LIFE.keys)) {
    await call("POST", "/api/keys", "", { handle, keyHash: hashOf(key) });
  }
  await call("POST", "/api/keys/me/rotate", as("old-dan"), { keyHash: hashOf(LIFE.rotated) });

  await call("POST", "/api/rooms", as("old-ann"), { id: "den", name: "Den", topic: "Old stories" });
  const { instructions } = LIFE;
  await call("PATCH", "/api/rooms/den", as("old-ann"), { loopGuard: 5, instructions, blocked: ["swordfish"] });
  for (let count = 1; count <= 6; count++) {
    const author = count % 2 === 0 ? "old-ben" : "old-ann";
    await say(author, "den", { id: `a${count}`, content: `message ${count}`, ...(count === 3 && { as: "claude" }) });
  }
  await say("old-ben", "den", { id: "a7", content: "a reply — “ünïcode” 🦊", replyTo: 2 });
  await call("DELETE", "/api/rooms/den/messages/5", as("old-ann"));
  const { question, options } = LIFE.ask;
  const asked = await say("old-ann", "den", { id: "ask", as: "claude", content: question, ask: { options } });
  await say("old-ben", "den", { id: "answer", answer: { target: asked.seq, option: "yes" } });
  await say("old-eve", "den", { content: "This will be erased." });
  await call("DELETE", "/api/rooms/den/messages?sender=old-eve", as("old-ann"));
  await call("DELETE", "/api/keys/me", as("old-eve"));
  const guest = await join(`${server.url}/r/den`, { guest: LIFE.guest });
  await guest.send("Hello from a guest", { id: "g0" });
  await guest.close();
  const dan = `Bearer ${LIFE.rotated}`;
  await call("POST", "/api/rooms/den/messages", dan, { id: "d1", content: "Buy this" }, "192.0.2.9");
  await call("PUT", "/api/rooms/den/mutes/old-dan", as("old-ann"), { address: true });

  await call("POST", "/api/rooms", as("old-ann"), { id: "attic", name: "Attic", access: "members" });
  await call("PUT", "/api/rooms/attic/members/old-ben", as("old-ann"), { role: "moderator" });
  await call("PUT", "/api/rooms/attic/members/old-cat", as("old-ann"), { role: "reader" });
  await call("POST", "/api/rooms/attic/invites", as("old-ann"), LIFE.invite);
  await say("old-ben", "attic", { id: "b1", content: "Nobody else reads this." });

  await call("POST", "/api/rooms", as("old-gus"), { id: "hall", name: "Hall", listed: false });
  const talkers = ["old-fay", "old-gus", "old-hal"] as const;
  for (let count = 1; count <= 40; count++) {
    for (const who of talkers) await say(who, "hall", { id: `h${count}`, content: `${count}` });
  }

  const keys = [createPublicKey(siteKey).export({ format: "jwk" })];
  await call("PUT", `/api/sites/${LIFE.site}`, as("old-ann"), { keys, origins: ["https://acme.example"] });
  const token = tokenFor("anna", server.url);
  await call("POST", "/api/rooms/den/messages", `Bearer ${token}`, { id: "s1", content: "Hello from acme" });
  await call("POST", "/api/rooms/acme--first-post/messages", `Bearer ${token}`, { id: "s2", content: "First!" });

  await call("POST", "/api/rooms", as("old-fay"), { id: "cellar", name: "Cellar" });
  await call("PATCH", "/api/admin/rooms/cellar", operator, { closed: true, hidden: true });
  await call("PUT", "/api/admin/notice", operator, { text: "A new version comes on Sunday." });
  await call("PUT", "/api/rooms/lobby/members/old-ben", operator, { role: "moderator" });

  for (const room of ["den", "attic", "hall", "acme--first-post"]) {
    const { head } = (await call("GET", `/api/rooms/${room}/messages?limit=1`, as("old-ann"))) as { head: number };
    await until(`D1 has ${room}`, () => server.archivedCount(room) === head);
  }
  await until("a pack is made", () => packsOf(server) > 0);
}

if (import.meta.main) {
  const { version } = JSON.parse(readFileSync(path(root, "package.json"), "utf8")) as { version: string };
  // As every server has them: what is lent of a larger one counts as used after the next start.
  await using server = await Server.start({ vars: QUOTAS });
  await live(server);
  await server.stop();
  const state = `${JSON.stringify(read(server.stateDir), null, 2)}\n`;
  // What a released version has left is never written anew.
  writeFileSync(path(import.meta.dirname, `${version}.json`), state, { flag: "wx" });
}
