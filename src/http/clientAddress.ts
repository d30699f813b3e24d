import { isIP, isIPv4 } from 'node:net';

const mappedPrefix = '::ffff:';
/** Where the connection is gone, and its address with it. */
const unknownAddress = '0.0.0.0';

/**
 * The client's address: what trusted proxies say, or the peer's where they say something that is no address, as
 * X-Forwarded-For may. An IPv4 address never has the IPv6 form (RFC 4291, 2.5.5.2), and no address has a zone.
 */
export function clientAddress(forwarded: string | undefined, peer: string | undefined): string {
  const address = [forwarded, peer].find((candidate) => candidate !== undefined && isIP(candidate) !== 0);
  if (address === undefined) return unknownAddress;
  const bare = address.split('%', 1)[0] ?? address;
  const mapped = bare.toLowerCase().startsWith(mappedPrefix) ? bare.slice(mappedPrefix.length) : '';
  return isIPv4(mapped) ? mapped : bare;
}
