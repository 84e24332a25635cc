import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTime } from "./times.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const read = (value: Parameters<typeof parseTime>[0] | string) =>
  parseTime(typeof value === "string" ? new TextEncoder().encode(value) : value, "utf-8", NOW);

/** Instants of whole seconds at which the previous server may have run. */
const instants = fc
  .integer({ min: Date.parse("2001-01-01") / 1_000, max: NOW / 1_000 })
  .map((seconds) => seconds * 1_000);
const iso = (at: number) => new Date(at).toISOString();
const two = (number: number) => String(number).padStart(2, "0");

describe("an instant", () => {
  it("is the same however it is written", () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (at, zone) => {
        const local = iso(at + zone * 60_000).slice(0, 19);
        const sign = zone < 0 ? "-" : "+";
        const [hours, minutes] = [two(Math.floor(Math.abs(zone) / 60)), two(Math.abs(zone) % 60)];
        const forms = [
          iso(at),
          iso(at).slice(0, 19),
          iso(at).slice(0, 19).replace("T", " "),
          `${iso(at).slice(0, 19).replace("T", " ")} UTC`,
          `${local}${sign}${hours}:${minutes}`,
          `${local.replace("T", " ")} ${sign}${hours}${minutes}`,
          String(at / 1_000),
          String(at),
          BigInt(at),
          BigInt(at / 1_000),
          at / 1_000,
        ];
        for (const form of forms) expect([form, read(form)]).toEqual([form, at]);
      }),
    );
  });

  it("keeps its fraction of a second, to the millisecond", () => {
    expect(read("2026-01-02 03:04:05.678")).toBe(Date.parse("2026-01-02T03:04:05.678Z"));
    expect(read("2026-01-02T03:04:05.678912345Z")).toBe(Date.parse("2026-01-02T03:04:05.678Z"));
    expect(read("2026-01-02T03:04:05,5Z")).toBe(Date.parse("2026-01-02T03:04:05.500Z"));
    expect(read(1_767_323_045.5)).toBe(1_767_323_045_500);
  });
});

it.each([
  ["time-missing", [null, "", "   "]],
  ["time-nonsense", ["yesterday", "2026-02-30 10:00:00", "2026-13-01", "2026-01-01 24:00:00", "2026-01-01 10:60:00"]],
  ["time-nonsense", ["7", 7, "2460000.5", "2026", "Infinity", "NaN", "0x10", "1e12", "2026-01-01 10:00:00 +25:00"]],
  ["time-before-1970", ["1969-12-31 23:59:59", -1, "-86400"]],
  ["time-future", ["2026-11-26 12:00:01", "9999-12-31 23:59:59", 1e18, Number.MAX_VALUE]],
] as const)("is refused as %s: %j", (fault, values) => {
  for (const value of values) expect([value, read(value)]).toEqual([value, fault]);
});

it("is never anything but a usable instant or a fault, whatever stands there", () => {
  const values = fc.oneof(fc.constant(null), fc.string(), fc.bigInt(), fc.double(), fc.uint8Array());
  fc.assert(
    fc.property(values, (value) => {
      const at = read(value);
      if (typeof at === "number") expect(at >= 0 && at <= NOW && Number.isInteger(at)).toBe(true);
      else expect(at).toMatch(/^time-/);
    }),
  );
});
