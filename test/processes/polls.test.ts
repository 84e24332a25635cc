/** Clients that wait for messages over HTTP and go away, over real connections: the runtime's tests have none to cut. */

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

/** The longest that a client may ask to wait, s. */
const LONGEST_WAIT = 50;

let server: Server;

beforeAll(async () => {
  server = await Server.start({ vars: { SOCKETS_PER_ADDRESS: "1" } });
});

afterAll(async () => {
  await server.remove();
});

describe("a client whose connection breaks while it waits", () => {
  it("gives its place back at once, not when its wait is over (promise 9)", async () => {
    const visitor = new Visitor(server);
    const { key } = await visitor.makeKey();
    const path = `/api/rooms/${await visitor.makeRoom(key)}/messages?after=0&wait=`;
    const poll = () => {
      const socket = connect(server.port, "localhost");
      socket.write(
        `GET ${path}${LONGEST_WAIT} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${visitor.address}\r\n\r\n`,
      );
      return socket;
    };
    // The one that is answered is refused: so the other one waits, and has the only place.
    const polls = [poll(), poll()];
    const [refusal] = await Promise.race(polls.map((socket) => once(socket, "data")));
    expect(String(refusal)).toMatch(/^HTTP\/1\.1 429 /);
    for (const socket of polls) socket.resetAndDestroy();
    const isFree = async (): Promise<boolean> => (await visitor.call("GET", `${path}1`)).status === 200;
    await until("the place is free", isFree, (LONGEST_WAIT - 5) * 1_000);
  });
});
