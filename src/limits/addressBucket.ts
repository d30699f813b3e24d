import ipaddr from 'ipaddr.js';

/**
 * What is counted as one address: an IPv4 address, and of IPv6 the /64, which is what a network gives a single client
 * (RFC 6177). An IPv4-mapped IPv6 address is the IPv4 address. Throws for text that is no address.
 */
export function addressBucket(ip: string): string {
  const address = ipaddr.process(ip);
  if (address instanceof ipaddr.IPv4) return address.toString();
  const network = address.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}
