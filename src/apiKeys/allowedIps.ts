import { BlockList, isIP } from 'node:net';

const cidrShape = /^([0-9A-Fa-f.:]{2,45})\/(0|[1-9]\d{0,2})$/;
const maxPrefix = { 4: 32, 6: 128 };

/** Lists are immutable and live in the cache of keys, so that each is compiled once. */
const compiled = new WeakMap<readonly string[], BlockList>();

/** Whether the text is an IPv4 or IPv6 address, without a zone, with a prefix length: `203.0.113.0/24`. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== null;
}

/**
 * Whether the address lies in one of the CIDR ranges; an empty list allows every address. IPv4 and its IPv4-mapped IPv6
 * form (RFC 4291, 2.5.5.2) are the same address, in the list and as `ip`. What is no address is in no range.
 */
export function isAllowed(allowedIps: readonly string[], ip: string): boolean {
  if (allowedIps.length === 0) return true;
  const family = isIP(ip);
  return family !== 0 && rangesOf(allowedIps).check(ip, family === 4 ? 'ipv4' : 'ipv6');
}

function rangesOf(allowedIps: readonly string[]): BlockList {
  const known = compiled.get(allowedIps);
  if (known) return known;
  const ranges = new BlockList();
  for (const text of allowedIps) {
    const cidr = parseCidr(text);
    if (cidr) ranges.addSubnet(cidr.address, cidr.prefix, cidr.family);
  }
  compiled.set(allowedIps, ranges);
  return ranges;
}

function parseCidr(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | null {
  const [, address = '', digits] = cidrShape.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(digits);
  if ((version !== 4 && version !== 6) || prefix > maxPrefix[version]) return null;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
