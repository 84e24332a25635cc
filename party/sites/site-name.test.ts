import { describe, expect, it } from "vitest";
import { isFault } from "../protocol.ts";
import { isSiteUser, parseSiteName, siteOfRoom } from "./site-name.ts";

describe("a site's name", () => {
  it("is like a handle", () => {
    for (const name of ["acme", "acme-blog", "a1b"]) expect(parseSiteName(name)).toBe(name);
    for (const name of ["", "ab", "Acme", "acme--blog", "-acme", "acme.com", "a".repeat(32)]) {
      expect(isFault(parseSiteName(name)), name).toBe(true);
    }
  });

  it.each(["before", "operator", "support", "0perator", "guest"])("is not %s", (name) => {
    expect(parseSiteName(name)).toMatchObject({ fault: "invalid", message: expect.stringContaining("reserved") });
  });
});

describe("a room of a site", () => {
  it.each([
    ["acme--first-post", "acme"],
    ["acme-blog--x", "acme-blog"],
    ["acme--a--b", "acme"],
    ["acme---b", "acme"],
  ])("%s is %s's", (room, site) => expect(siteOfRoom(room)).toBe(site));

  it.each(["lobby", "acme-post", "a--b", "--x", "acme--"])("%s is none", (room) => {
    expect(siteOfRoom(room)).toBeUndefined();
  });
});

it("tells a site's user from who wrote on the previous server", () => {
  expect(["anna@acme", "anna@before", "anna", "~anna-1", "anna/claude"].filter(isSiteUser)).toEqual(["anna@acme"]);
});
