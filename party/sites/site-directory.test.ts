import { beforeEach, describe, expect, it, vi } from "vitest";
import { SITE_KNOWN_FOR, SiteDirectory } from "./site-directory.ts";
import type { Site } from "./site-table.ts";

const SITE = {
  name: "acme",
  owner: "o",
  ownerHandle: "h",
  guestPepper: "",
  keys: [],
  origins: [],
  createdAt: "",
  removedAt: null,
};

let now = 0;
let standing: ReturnType<typeof vi.fn<(name: string) => Promise<Site | undefined>>>;
let directory: SiteDirectory;
beforeEach(() => {
  now = 1_000_000;
  standing = vi.fn(async (name: string) => (name === "acme" ? SITE : undefined));
  directory = new SiteDirectory(() => now);
});
const find = (name: string, address?: string) => directory.find(name, address, { standing });

describe("the directory of sites", () => {
  it("asks D1 about a site once a minute, and again as soon as it has changed", async () => {
    expect(await find("acme")).toBe(SITE);
    now += SITE_KNOWN_FOR - 1;
    await find("acme");
    expect(standing).toHaveBeenCalledTimes(1);
    now += 1;
    await find("acme");
    expect(standing).toHaveBeenCalledTimes(2);
    directory.forget("acme");
    await find("acme");
    expect(standing).toHaveBeenCalledTimes(3);
  });

  it("asks D1 again when the clock was set back: what it knows may be old", async () => {
    await find("acme");
    now -= 3_600_000;
    await find("acme");
    expect(standing).toHaveBeenCalledTimes(2);
  });

  it("remembers no answer from before a change", async () => {
    standing.mockImplementationOnce(async () => {
      directory.forget("acme");
      return SITE;
    });
    await find("acme");
    await find("acme");
    expect(standing).toHaveBeenCalledTimes(2);
  });

  describe("while D1 does not answer", () => {
    beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => undefined));

    it("goes on with what it knew for a day, and no longer", async () => {
      await find("acme");
      standing.mockRejectedValue(new Error("away"));
      now += SITE_KNOWN_FOR;
      expect(await find("acme")).toBe(SITE);
      expect(await find("other")).toMatchObject({ fault: "unavailable" });
      now += 24 * 3_600_000;
      expect(await find("acme")).toMatchObject({ fault: "unavailable" });
    });

    it("does not ask it for each of those who come: it may hang each time", async () => {
      await find("acme");
      standing.mockRejectedValue(new Error("away"));
      now += SITE_KNOWN_FOR;
      for (let count = 0; count < 10; count++) expect(await find("acme")).toBe(SITE);
      expect(standing).toHaveBeenCalledTimes(2);
      standing.mockResolvedValue(undefined);
      now += 5_000;
      expect(await find("acme")).toBeUndefined();
    });

    it("does not go on with what it knew before a change that is told while D1 is asked", async () => {
      await find("acme");
      now += SITE_KNOWN_FOR;
      standing.mockImplementation(async () => {
        directory.forget("acme");
        throw new Error("away");
      });
      expect(await find("acme")).toMatchObject({ fault: "unavailable" });
    });

    it("goes on with a site that was to be looked up again, unless a key of it has gone meanwhile", async () => {
      const site = { ...SITE, keys: [{ thumbprint: "one" } as Site["keys"][number]] };
      standing.mockResolvedValue(site);
      await find("acme");
      directory.renew("acme", undefined);
      await find("acme");
      expect(standing).toHaveBeenCalledTimes(2);
      standing.mockRejectedValue(new Error("away"));
      for (const thumbprints of [undefined, ["one", "two"]]) {
        directory.renew("acme", thumbprints);
        expect(await find("acme")).toBe(site);
      }
      directory.renew("acme", ["two"]);
      expect(await find("acme")).toMatchObject({ fault: "unavailable" });
    });
  });

  it("looks unknown sites up only so often for one address, and known ones always", async () => {
    for (let made = 0; made < 200; made++) expect(await find(`site-${made}`, "192.0.2.1")).toBeUndefined();
    expect(await find("another", "192.0.2.1")).toMatchObject({ fault: "rate_limited" });
    expect(await find("another", "192.0.2.2")).toBeUndefined();
    // What was found out already costs nothing.
    expect(await find("site-199", "192.0.2.1")).toBeUndefined();
  });
});
