/**
 * Which proxies are believed when they say for whom they ask: `X-Forwarded-For` is a list to which each proxy adds the
 * address that it has been asked from. Anybody may begin such a list, so it is read from its end, and only as far as the
 * proxies are known.
 */

import { addressGroups } from "../address.ts";

/** An entry of `TRUSTED_PROXIES` can't be used. The message is one line. */
export class InvalidProxies extends Error {
  override readonly name = "InvalidProxies";
}

/** An address with the number of bits in which an address of its network agrees with it. */
interface Network {
  readonly groups: readonly number[];
  readonly bits: number;
}

export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** Takes addresses and CIDRs with commas or spaces between them, as `127.0.0.1, 10.0.0.0/8, fd00::/8`. Throws `InvalidProxies`. */
  constructor(list: string) {
    this.#networks = list
      .split(/[\s,]+/)
      .filter((entry) => entry !== "")
      .map(networkOf);
  }

  has(address: string): boolean {
    const groups = addressGroups(address);
    return groups !== undefined && this.#networks.some((network) => isIn(groups, network));
  }

  /**
   * The address of the client: `peer`, from which the connection comes, or, if that is a trusted proxy, the right-most
   * address in `forwardedFor` that is not one. Where a proxy has written what is no address, the proxy's own counts.
   */
  clientOf(peer: string, forwardedFor: string | null): string {
    const hops = forwardedFor === null ? [] : forwardedFor.split(",").map(bareAddress);
    let client = peer;
    while (this.has(client)) {
      const before = hops.pop();
      if (before === undefined || addressGroups(before) === undefined) break;
      client = before;
    }
    return client;
  }
}

/** The address alone of `192.0.2.1:443`, `[2001:db8::1]:443` or `[2001:db8::1]`, as some proxies write it. */
export function bareAddress(text: string): string {
  const trimmed = text.trim();
  const [, bracketed, four] = /^\[(.*)\](?::\d+)?$|^([^:]*):\d+$/.exec(trimmed) ?? [];
  return bracketed ?? four ?? trimmed;
}

function networkOf(entry: string): Network {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const groups = addressGroups(address);
  const isIpv4 = !address.includes(":");
  const bits = length === undefined ? ALL_BITS : Number(length) + (isIpv4 ? IPV4_PREFIX : 0);
  if (groups !== undefined && bits <= ALL_BITS) return { groups, bits };
  throw new InvalidProxies(
    `TRUSTED_PROXIES must have addresses or CIDRs such as 127.0.0.1 or 10.0.0.0/8, with commas between them, not ${JSON.stringify(entry)}.`,
  );
}

const ALL_BITS = 128;
/** An IPv4 address is the end of an IPv6 one. */
const IPV4_PREFIX = 96;

function isIn(groups: readonly number[], network: Network): boolean {
  return network.groups.every((group, index) => {
    const bits = Math.min(16, Math.max(0, network.bits - 16 * index));
    const mask = (0xffff << (16 - bits)) & 0xffff;
    return ((groups[index] ?? 0) & mask) === (group & mask);
  });
}
