import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientAddress, countedAddress } from "./address.ts";

describe("the address that is counted", () => {
  it.each([
    // IPv4 as it is.
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    // IPv6: the network of a household, in one spelling whatever the client's.
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::8", "1:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    // IPv4 inside IPv6 is the IPv4 address: not a second one of the same person.
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
  ])("%s is %s", (address, counted) => {
    expect(countedAddress(address)).toBe(counted);
  });

  it.each([
    [""],
    ["unknown"],
    ["localhost"],
    ["192.0.2"],
    ["192.0.2.1."],
    ["192.0.2.256"],
    ["192.0.2.1, 198.51.100.2"],
    ["192.0.2.1:443"],
    ["1:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:7:8:9"],
    ["1:2:3:4::5:6:7:8"],
    ["1::2::3"],
    [":::"],
    ["12345::"],
    ["g::1"],
    ["::ffff:192.0.2.256"],
    ["[::1]"],
    [" ::1"],
    ["::1\n"],
  ])("%j is unknown", (address) => {
    expect(countedAddress(address)).toBe("unknown");
  });

  it("is the same for every address of one /64 and another for the next /64", () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 }), (address, host) => {
        const counted = countedAddress(address);
        if (!counted.endsWith("/64")) return;
        const network = counted.replace("::/64", "");
        const neighbour = `${network}:${host.map((group) => group.toString(16)).join(":")}`;
        const isMapped = /^0:0:0:0:0:ffff:/.test(neighbour);
        if (!isMapped) expect(countedAddress(neighbour)).toBe(counted);
        const [first = "0", ...rest] = network.split(":");
        const next = ((Number.parseInt(first, 16) + 1) & 0xffff).toString(16);
        expect(countedAddress(`${next}:${rest.join(":")}::1`)).not.toBe(counted);
      }),
    );
  });

  it("takes every IPv4 and IPv6 address, and never throws", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (four, six) => {
        expect(countedAddress(four)).toBe(four);
        expect(countedAddress(six)).not.toBe("unknown");
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.%]{0,45}$/)), (text) => {
        expect(countedAddress(text)).toMatch(/^(unknown|[\d.]{7,15}|(?:[0-9a-f]{1,4}:){4}:\/64)$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

it("is the platform's word, not the client's", () => {
  const headers = new Headers({
    "cf-connecting-ip": "192.0.2.1",
    "x-forwarded-for": "198.51.100.2",
    "x-real-ip": "198.51.100.3",
  });
  expect(clientAddress(headers)).toBe("192.0.2.1");
  headers.delete("cf-connecting-ip");
  expect(clientAddress(headers)).toBe("unknown");
});
