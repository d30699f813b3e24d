import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { holds, parseAddress, requireCidr } from '../network/cidr.ts';

/** Where the connection is gone, and its address with it. */
const unknownAddress = '0.0.0.0';
/** As some proxies write an address: with a port, and IPv6 in brackets. */
const withPort = /^(?:\[([0-9A-Fa-f.:]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5})$/;

/** The client's address in its one spelling: of the peer of a connection, and of the X-Forwarded-For that came over it. */
export type ClientAddress = (peer: string | undefined, forwarded: string | string[] | undefined) => string;

/**
 * Each hop says who came to it, the last one at the end. So the way is walked back from the peer for as long as the hop
 * is a trusted proxy: what stands before the first one that is not, the client may have made up. Where a proxy says
 * something that is no address, the way ends at the proxy.
 */
export function createClientAddress(trustProxy: readonly string[]): ClientAddress {
  const isTrusted = createTrust(trustProxy);
  return (peer, forwarded) => {
    const address = addressOf(peer ?? '') ?? unknownAddress;
    if (forwarded === undefined || !isTrusted(address)) return address;
    return walkBack(address, typeof forwarded === 'string' ? forwarded : forwarded.join(','), isTrusted);
  };
}

/** From the end on, without a look at what a client wrote before it, however long that is. */
function walkBack(peer: string, forwarded: string, isTrusted: (address: string) => boolean): string {
  let hop = peer;
  for (let end = forwarded.length; end >= 0 && isTrusted(hop); ) {
    const begin = end === 0 ? 0 : forwarded.lastIndexOf(',', end - 1) + 1;
    const before = addressOf(forwarded.slice(begin, end).trim());
    if (before === null) return hop;
    hop = before;
    end = begin - 1;
  }
  return hop;
}

/** In one spelling (RFC 5952), IPv4 never in the form of IPv6 (RFC 4291, 2.5.5.2), without a zone; null for other text. */
function addressOf(text: string): string | null {
  const [, bracketed, bare] = withPort.exec(text) ?? [];
  const address = (bracketed ?? bare ?? text).split('%', 1)[0] ?? '';
  if (isIPv4(address)) return address;
  return isIP(address) === 0 ? null : ipaddr.process(address).toString();
}

function createTrust(trustProxy: readonly string[]): (address: string) => boolean {
  const ranges = trustProxy.map(requireCidr);
  return (text) => {
    const address = ranges.length > 0 ? parseAddress(text) : null;
    return address !== null && ranges.some((range) => holds(range, address));
  };
}
