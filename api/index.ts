/** The Worker: leads each request to its resource, and exports the Durable Objects. */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { configurationOf } from "../party/configuration.ts";
import { fault } from "../party/protocol.ts";
import { usage } from "../party/usage/usage-sampler.ts";
import { admin } from "./admin/admin.ts";
import { audited } from "./admin/audited.ts";
import { answers } from "./answers.ts";
import { erasures, repeatErasures } from "./erasures.ts";
import { answerError } from "./error-answer.ts";
import { refusalResponse } from "./errors.ts";
import { events } from "./events.ts";
import { exports } from "./export.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { sameSite } from "./guards/same-site.ts";
import { health } from "./health.ts";
import { invites } from "./invites.ts";
import { keys } from "./keys.ts";
import { mcp } from "./mcp/mcp.ts";
import { members } from "./members.ts";
import { messages } from "./messages.ts";
import { meteredEnv } from "./metered-env.ts";
import { moderation } from "./moderation.ts";
import { operator } from "./operator.ts";
import { owner } from "./owner.ts";
import { pages } from "./pages.ts";
import { requestLogged } from "./request-log.ts";
import { tellRooms } from "./retention.ts";
import { rooms } from "./rooms.ts";
import { sites } from "./sites.ts";
import { socket } from "./socket.ts";

export { ChatRoom } from "../party/chat-room.ts";
export { Person } from "../party/limits/person.ts";
export { Quota } from "../party/limits/quota.ts";
export { Shutdown } from "./shutdown.ts";

const app = new Hono<{ Bindings: Env }>();

// First of all, so that every answer and every line of the log has the request's id.
app.use(requestLogged);

app.use(async function configured(c, next) {
  // A variable that can't be used stops everything, with a line in the log, rather than to refuse some of it silently.
  configurationOf(c.env);
  await next();
});

app.use(async function counted(c, next) {
  usage.count("workerRequests", 1);
  c.env = meteredEnv(c.env);
  await next();
});

// Any page may call the API: a caller is known by a key in a header, never by a cookie that the browser adds.
const crossOrigin = cors({
  origin: "*",
  allowMethods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
  allowHeaders: ["authorization", "content-type", "last-event-id"],
  exposeHeaders: ["retry-after", "ratelimit", "ratelimit-policy", "location", "x-request-id"],
  maxAge: 86_400,
});

app.use("/api/*", async function crossOriginApi(c, next) {
  // The headers of an upgrade's answer can't be changed, and a browser asks a socket for none of these.
  if (c.req.header("upgrade")) return next();
  return crossOrigin(c, next);
});

app.use(async function neverSniffed(c, next) {
  await next();
  if (c.res.status !== 101) c.header("x-content-type-options", "nosniff");
});

app.use("/api/*", async function dated(c, next) {
  await next();
  // A client whose clock is wrong counts by this one when it says until when. Cloudflare adds it; one machine does not.
  if (c.res.status !== 101) c.header("date", new Date().toUTCString());
});

app.use("/api/*", async function neverKept(c, next) {
  await next();
  // A cache must keep neither a key nor a message that is deleted later.
  if (c.res.status !== 101) c.header("cache-control", "no-store");
});

app.use("/api/*", audited);

// A new key is counted by the address of the browser's user, so another site's page may not make one.
app.post("/api/keys", sameSite);

// Finding out whether a key exists costs a query.
app.use("/api/keys/me/*", async function keyLookup(c, next) {
  await spendLookup(c);
  await next();
});

app.route("/", socket);
app.route("/api/keys", keys);
app.route("/api/sites", sites);
app.route("/api/rooms", rooms);
app.route("/api/rooms", members);
app.route("/api/rooms", invites);
app.route("/api/rooms", owner);
app.route("/api/rooms", moderation);
app.route("/api/rooms", messages);
app.route("/api/rooms", answers);
app.route("/api/rooms", events);
app.route("/api/rooms", exports);
app.route("/api", erasures);
app.route("/api/operator", operator);
app.route("/api/admin", admin);
app.route("/", health);
app.route("/mcp", mcp);
app.route("/", pages);

app.onError(answerError);

app.notFound(() => refusalResponse(fault("not_found", "There is nothing at this address.")));

/** Comes once an hour: wrangler.toml has the time. */
async function scheduled(_event: ScheduledController, env: Env): Promise<void> {
  await Promise.allSettled([tellRooms(env), repeatErasures(env)]);
}

export default Object.assign(app, { scheduled }) satisfies ExportedHandler<Env>;
