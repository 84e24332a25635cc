import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareAddress, InvalidProxies, TrustedProxies } from "./trusted-proxies.ts";

describe("who is a trusted proxy", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "::ffff:127.0.0.1", true],
    ["10.0.0.0/8", "10.255.0.3", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["172.16.0.0/12", "172.31.255.255", true],
    ["172.16.0.0/12", "172.32.0.0", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::1", "::1", true],
    ["::1", "::2", false],
    ["fd00::/8", "fdff::1", true],
    ["fd00::/8", "fe00::1", false],
    ["::/0", "203.0.113.9", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["192.0.2.1, ::1  10.0.0.0/8", "10.1.2.3", true],
    ["", "127.0.0.1", false],
    ["127.0.0.1", "unknown", false],
    ["::1", "::1%lo", true],
  ])("with %j, %s: %s", (list, address, isTrusted) => {
    expect(new TrustedProxies(list).has(address)).toBe(isTrusted);
  });

  it.each(["localhost", "10.0.0.0/33", "::/129", "10.0.0/8", "127.0.0.1/", "127.0.0.1/-1", "/8", "1.2.3.4/8/9"])(
    "refuses %j in one line that names the variable",
    (list) => {
      expect(() => new TrustedProxies(list)).toThrow(InvalidProxies);
      expect(() => new TrustedProxies(list)).toThrow(/^TRUSTED_PROXIES must have .* not ".*"\.$/);
    },
  );
});

describe("the client behind proxies", () => {
  const trusted = new TrustedProxies("127.0.0.1, 10.0.0.0/8, ::1");

  it.each([
    // Without a proxy, or with one that nobody trusts, the connection's own address counts.
    ["203.0.113.9", null, "203.0.113.9"],
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["203.0.113.9", "127.0.0.1", "203.0.113.9"],
    // One proxy, several, and what a client has written before them.
    ["127.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"],
    ["::1", "198.51.100.1,203.0.113.9 ,10.1.2.3,127.0.0.1", "203.0.113.9"],
    ["127.0.0.1", "2001:db8::1", "2001:db8::1"],
    // Whoever is on the proxies' own network.
    ["127.0.0.1", null, "127.0.0.1"],
    ["127.0.0.1", "10.1.2.3", "10.1.2.3"],
    // What is no address counts as the proxy that has written it.
    ["127.0.0.1", "unknown", "127.0.0.1"],
    ["127.0.0.1", "", "127.0.0.1"],
    ["127.0.0.1", "203.0.113.9, _hidden, 10.1.2.3", "10.1.2.3"],
    ["127.0.0.1", "203.0.113.9,", "127.0.0.1"],
    // With its port.
    ["127.0.0.1", "203.0.113.9:4711", "203.0.113.9"],
    ["127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"],
  ])("from %s, with %j: %s", (peer, forwardedFor, client) => {
    expect(trusted.clientOf(peer, forwardedFor)).toBe(client);
  });

  it("is never what a client writes itself, whatever it writes", () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (written, claimed) => {
        expect(trusted.clientOf("127.0.0.1", `${written}, ${claimed}, 203.0.113.9`)).toBe("203.0.113.9");
        expect(trusted.clientOf("203.0.113.9", `${written}, ${claimed}`)).toBe("203.0.113.9");
      }),
    );
  });

  it("is an address without its port", () => {
    expect(bareAddress(" 192.0.2.1 ")).toBe("192.0.2.1");
    expect(bareAddress("[::1]")).toBe("::1");
    expect(bareAddress("2001:db8::1")).toBe("2001:db8::1");
  });
});
