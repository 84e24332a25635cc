import { expect, test } from "vitest";
import type { Credentials } from "./credentials.ts";
import { readPage } from "./page.ts";

const PAGE = { messages: [], head: 3, epoch: "first", more: false };
const CLOSED = { error: { code: "unauthorized", message: "This room is its members'." } };

/** A room that answers without credentials, or only with `accepted`. */
function source(credentials: Credentials | undefined, accepted?: string) {
  const asked: (string | null)[] = [];
  const fetch = async (_: string, init?: RequestInit) => {
    const authorization = new Headers(init?.headers).get("authorization");
    asked.push(authorization);
    const isOpen = accepted === undefined || authorization === accepted;
    return isOpen ? Response.json(PAGE) : Response.json(CLOSED, { status: 401 });
  };
  return {
    asked,
    source: { server: "https://meet.example", room: "den", epoch: "first", credentials, deps: { fetch } },
  };
}

const KEY = { key: `mai_${"k".repeat(24)}` };
const GUEST = { guest: "g".repeat(22) };

test.each([
  [KEY, `Bearer ${KEY.key}`],
  [GUEST, `Guest ${GUEST.guest}`],
])(
  "a page of a members' room is asked for with credentials %j, once it has been refused without",
  async (who, said) => {
    const room = source(who, said);
    expect(await readPage(room.source)).toEqual(PAGE);
    expect(room.asked).toEqual([null, said]);
  },
);

test("a page of an open room is asked for without them", async () => {
  const room = source(KEY);
  await readPage(room.source);
  expect(room.asked).toEqual([null]);
});

test("a page of a members' room is refused to who has none", async () => {
  const room = source(undefined, `Bearer ${KEY.key}`);
  await expect(readPage(room.source)).rejects.toMatchObject({ code: "unauthorized" });
  expect(room.asked).toEqual([null]);
});
