import { describe, expect, it } from "vitest";
import { SILENCE } from "../protocol.ts";
import { examine } from "./liveness.ts";

describe("a peer that pings (promise 8)", () => {
  const silent = (silentFor: number, askedFor?: number) => examine({ silentFor, pings: true, askedFor });

  it("is well while it does, is asked when it stops, is then absent, and in the end dead", () => {
    expect(silent(10_000)).toEqual({ verdict: "well", next: 20_000 });
    expect(silent(30_000)).toEqual({ verdict: "ask", next: 15_000 });
    expect(silent(31_000, 1_000)).toEqual({ verdict: "well", next: 14_000 });
    expect(silent(45_000, 15_000)).toEqual({ verdict: "absent", next: 85_000 });
    expect(silent(SILENCE.closeAfter).verdict).toBe("dead");
  });

  it("has time to answer when it is asked late", () => {
    expect(silent(50_000)).toEqual({ verdict: "ask", next: 10_000 });
    expect(silent(55_000, 5_000)).toEqual({ verdict: "well", next: 5_000 });
    expect(silent(60_000, 10_000).verdict).toBe("absent");
  });

  it("is absent without a question after longer than a browser throttles its timers", () => {
    expect(silent(75_000)).toEqual({ verdict: "absent", next: 55_000 });
  });

  it("is never absent or dead when it pings once a minute and answers, whenever it is looked at", () => {
    for (const every of [1_000, 7_000, 35_000, 44_000]) {
      let [lastSign, askedAt] = [0, undefined as number | undefined];
      for (let now = 0; now < 3_600_000; now += every) {
        // Its timer rings once a minute; frames reach it at once, so it answers before it is looked at again.
        lastSign = Math.max(lastSign, Math.floor(now / 60_000) * 60_000, askedAt ?? 0);
        const askedFor = askedAt === undefined || askedAt <= lastSign ? undefined : now - askedAt;
        const { verdict } = silent(now - lastSign, askedFor);
        expect(["well", "ask"]).toContain(verdict);
        if (verdict === "ask") askedAt = now;
      }
    }
  });
});

describe("a peer that never pings", () => {
  it("is absent when it has been silent, and is never asked or dead", () => {
    const silent = (silentFor: number) => examine({ silentFor, pings: false, askedFor: undefined });
    expect(silent(44_000)).toEqual({ verdict: "well", next: 1_000 });
    for (const ms of [45_000, 130_000, 86_400_000]) {
      expect(silent(ms)).toEqual({ verdict: "absent", next: Number.POSITIVE_INFINITY });
    }
  });
});
