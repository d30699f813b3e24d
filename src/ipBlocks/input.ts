import { z } from 'zod';
import { text } from '../graphql/input.ts';
import { type Cidr, formatCidr, holds, isTooWide, parseAddress, parseCidr } from '../network/cidr.ts';

const defaultDurationSeconds = 3600;
const maxDurationSeconds = 31_536_000;
const maxReasonLength = 500;

/** BlockIpInput, as the caller of this address may send it; answers the network in its one spelling. */
export function blockIpInput(ownAddress: string, isProtected: (range: Cidr) => boolean) {
  const own = parseAddress(ownAddress);
  const cidr = z.string().transform((given, { addIssue }) => {
    const range = parseCidr(given);
    const problem = range ? problemOf(range) : 'must be an IPv4 or IPv6 range such as 203.0.113.0/24, or an address';
    if (problem) addIssue(problem);
    return range && !problem ? formatCidr(range) : '';
  });
  const problemOf = (range: Cidr): string | null => {
    if (isTooWide(range)) return 'must be at most a /8 of IPv4 or a /16 of IPv6';
    if (own && holds(range, own)) return 'must not hold your own address';
    return isProtected(range) ? 'must not hold loopback addresses or a proxy of TRUST_PROXY' : null;
  };
  return z.object({
    cidr,
    reason: text(1, maxReasonLength),
    durationSeconds: z
      .int()
      .min(1, `must be 1 to ${maxDurationSeconds}`)
      .max(maxDurationSeconds, `must be 1 to ${maxDurationSeconds}`)
      .nullish()
      .transform((seconds) => seconds ?? defaultDurationSeconds),
  });
}
