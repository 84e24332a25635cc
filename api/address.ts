/**
 * The client's address as it is counted: an IPv4 address, or the /64 of an IPv6 one, because a household has 2^64 of
 * those. It comes from the platform's header alone: a client can write `X-Forwarded-For` and its like itself.
 */

/** The address of `headers` in its counted form; `unknown` when the platform names none. */
export function clientAddress(headers: Headers): string {
  return countedAddress(headers.get("cf-connecting-ip")?.trim() ?? "");
}

/** `192.0.2.1` as it is, `2001:db8:1:2:…` as `2001:db8:1:2::/64`, `::ffff:192.0.2.1` as `192.0.2.1`. */
export function countedAddress(address: string): string {
  if (IPV4.test(address)) return address;
  const groups = ipv6Groups(address);
  if (!groups) return "unknown";
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return [groups[6], groups[7]].flatMap((group = 0) => [group >> 8, group & 255]).join(".");
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}

/** The eight 16-bit groups of an address (RFC 4291 §2.2), an IPv4 one as `::ffff:192.0.2.1`; `undefined` when it is none. */
export function addressGroups(text: string): number[] | undefined {
  return ipv6Groups(IPV4.test(text) ? `::ffff:${text}` : text);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}(?<!\.)$/;

/** The groups of an IPv6 address, zone and all forms of shortening included. */
function ipv6Groups(text: string): number[] | undefined {
  let address = text.split("%", 1)[0] as string;
  const tail = address.slice(address.lastIndexOf(":") + 1);
  if (IPV4.test(tail)) {
    const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
    address = `${address.slice(0, -tail.length)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<string>(right ? missing : 0).fill("0"), ...(right ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}
