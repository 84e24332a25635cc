/**
 * Lets the users of your site into your rooms under their own names: the part of your server that signs for them. It needs
 * Node 20 or later and nothing else.
 *
 *   node sign.mjs key                  makes site-key.pem, which stays on your server, and says the public key
 *   node sign.mjs register             tells the meet-ai server your site's name and its public key
 *   node sign.mjs token anna "Anna"    a token for one of your users, to try it
 *
 * SITE is your site's name, MEET_AI_SERVER the server's address. `register` needs MEET_AI_KEY, the key that owns the rooms.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { SITE, MEET_AI_SERVER = "https://meet-ai.cc", MEET_AI_KEY, SITE_KEY = "site-key.pem" } = process.env;

/**
 * A token for the user `id` (a-z, 0-9, ., _ and -), in the rooms that `rooms` names. Call it only for somebody who is logged
 * in, and give it to that person's page alone.
 */
export function tokenFor(id, { name, role, rooms = ["*"], minutes = 60 } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: SITE,
    aud: new URL(MEET_AI_SERVER).origin,
    sub: id,
    rooms,
    name,
    role,
    iat: now,
    exp: now + minutes * 60,
  };
  const text = [{ alg: "EdDSA", typ: "JWT" }, claims].map(base64url).join(".");
  return `${text}.${sign(null, Buffer.from(text), privateKey()).toString("base64url")}`;
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const privateKey = () => createPrivateKey(readFileSync(SITE_KEY));
const publicKey = () => createPublicKey(privateKey()).export({ format: "jwk" });

function makeKey() {
  if (existsSync(SITE_KEY)) throw new Error(`${SITE_KEY} is there already: its users' tokens would end.`);
  const { privateKey: made } = generateKeyPairSync("ed25519");
  writeFileSync(SITE_KEY, made.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  return publicKey();
}

async function register() {
  const response = await fetch(`${MEET_AI_SERVER}/api/sites/${SITE}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${MEET_AI_KEY}`, "content-type": "application/json" },
    // The origins of your own pages, such as "https://acme.example"; none: any.
    body: JSON.stringify({ keys: [publicKey()], origins: [] }),
  }).catch(() => {
    throw new Error(`${MEET_AI_SERVER} does not answer. Is MEET_AI_SERVER the server's address?`);
  });
  const answer = await response.json();
  if (response.status === 401)
    throw new Error(`${answer.error.message} MEET_AI_KEY must be a key of ${MEET_AI_SERVER}.`);
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

const COMMANDS = { key: makeKey, register, token: (id, name) => tokenFor(id, { name }) };

// Only when it is run, and not when your server imports it.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command, ...values] = process.argv.slice(2);
  try {
    if (!COMMANDS[command]) throw new Error(`Say one of: ${Object.keys(COMMANDS).join(", ")}.`);
    if (!SITE && command !== "key") throw new Error("SITE is not set: the name of your site.");
    const said = await COMMANDS[command](...values);
    console.log(typeof said === "string" ? said : JSON.stringify(said));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
