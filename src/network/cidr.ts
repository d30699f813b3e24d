import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

const shape = /^([0-9A-Fa-f.:]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/;
const mappedPrefix = 96;
const mappedWord = 0xffff;
const [dot, colon, nine] = [0x2e, 0x3a, 0x39];
/** Wider ranges would be a mistake more often than an attacker. */
const minPrefix = { 4: 8, 6: 16 };

/** An address as 32-bit words, the most significant first: one for IPv4, four for IPv6. */
export type Words = readonly number[];

/** A range of addresses: its network, whose other bits are 0, and how many bits of it count. */
export type Cidr = { readonly words: Words; readonly prefix: number };

/** Addresses of this machine, which never come from elsewhere. */
export const loopback: readonly Cidr[] = ['127.0.0.0/8', '::1/128'].map(requireCidr);

/**
 * The range that the text names, `203.0.113.0/24` or an address alone, normalised to its network; null where it names
 * none. An IPv4-mapped IPv6 range (RFC 4291, 2.5.5.2) is the IPv4 range.
 */
export function parseCidr(text: string): Cidr | null {
  const [, address = '', digits] = shape.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return null;
  const words = version === 4 ? [wordOfIpv4(address)] : wordsOfIpv6(address);
  const bits = words.length * 32;
  const prefix = digits === undefined ? bits : Number(digits);
  if (prefix > bits) return null;
  const network = words.map((word, index) => word & maskOf(prefix - index * 32));
  return isMapped(network) && prefix >= mappedPrefix
    ? { words: network.slice(3), prefix: prefix - mappedPrefix }
    : { words: network, prefix };
}

/** For texts that are known to be ranges. */
export function requireCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error('This is no range of addresses.');
  return cidr;
}

/** The words of an address, those of the IPv4 address where it is an IPv4-mapped one; null for any other text. */
export function parseAddress(text: string): Words | null {
  const version = isIP(text);
  if (version === 4) return [wordOfIpv4(text)];
  if (version === 0 || text.includes('%')) return null;
  const words = wordsOfIpv6(text);
  return isMapped(words) ? words.slice(3) : words;
}

/** The range as people write it (RFC 5952), always with its prefix. */
export function formatCidr({ words, prefix }: Cidr): string {
  const bytes = words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
  return `${ipaddr.fromByteArray(bytes).toString()}/${prefix}`;
}

/** How many of the first bits are the same, at most so many. */
export function sharedBits(one: Words, other: Words, max: number): number {
  for (let index = 0, bits = 0; bits < max; index += 1, bits += 32) {
    const difference = (one[index] ?? 0) ^ (other[index] ?? 0);
    if (difference !== 0) return Math.min(max, bits + Math.clz32(difference));
  }
  return max;
}

/** Whether the bit at this place, counted from the first one, is set. */
export function bitAt(words: Words, place: number): boolean {
  return (((words[place >>> 5] ?? 0) << (place & 31)) & 0x80000000) !== 0;
}

/** Whether some address is in both ranges. */
export function overlaps(one: Cidr, other: Cidr): boolean {
  const prefix = Math.min(one.prefix, other.prefix);
  return one.words.length === other.words.length && sharedBits(one.words, other.words, prefix) === prefix;
}

/** Whether the address is in the range. */
export function holds({ words, prefix }: Cidr, address: Words): boolean {
  return words.length === address.length && sharedBits(words, address, prefix) === prefix;
}

/** Whether the range is wider than anybody may block: /8 for IPv4, /16 for IPv6. */
export function isTooWide({ words, prefix }: Cidr): boolean {
  return prefix < minPrefix[words.length === 1 ? 4 : 6];
}

/** The bits of a word that count, where so many of it and of the words after it do. */
function maskOf(bits: number): number {
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

function isMapped(words: Words): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === mappedWord;
}

/** Written for speed, since each request passes here; the text is known to be an address. */
function wordOfIpv4(text: string): number {
  let word = 0;
  let part = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === dot) {
      word = (word << 8) | part;
      part = 0;
    } else part = part * 10 + (code & 0xf);
  }
  return (word << 8) | part;
}

/** As above; an IPv4 address at the end is two groups. */
function wordsOfIpv6(text: string): number[] {
  const dotAt = text.indexOf('.');
  if (dotAt >= 0) return wordsOfIpv6(withoutDots(text, text.lastIndexOf(':', dotAt) + 1));
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  let gapAt = -1;
  let group = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code !== colon) {
      group = (group << 4) | hexDigitOf(code);
      continue;
    }
    const isGap = text.charCodeAt(index + 1) === colon;
    if (index > 0) groups[count++] = group;
    group = 0;
    if (!isGap) continue;
    gapAt = count;
    index += 1;
  }
  groups[count++] = group;
  if (gapAt >= 0) moveToEnd(groups, gapAt, count);
  return [wordAt(groups, 0), wordAt(groups, 2), wordAt(groups, 4), wordAt(groups, 6)];
}

/** `::` stands for as many groups of 0 as are missing. */
function moveToEnd(groups: number[], from: number, count: number): void {
  for (let index = count - 1, to = 7; index >= from; index -= 1, to -= 1) {
    const group = groups[index] ?? 0;
    groups[index] = 0;
    groups[to] = group;
  }
}

function wordAt(groups: readonly number[], index: number): number {
  return ((groups[index] ?? 0) << 16) | (groups[index + 1] ?? 0);
}

function withoutDots(text: string, from: number): string {
  const word = wordOfIpv4(text.slice(from));
  return `${text.slice(0, from)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
}

/** Of 0-9, A-F and a-f. */
function hexDigitOf(code: number): number {
  return code <= nine ? code & 0xf : (code & 0xf) + 9;
}
