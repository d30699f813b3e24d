import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BlockChange, createBlockSet } from '../../src/ipBlocks/blockSet.ts';
import {
  formatCidr,
  holds,
  isTooWide,
  overlaps,
  parseAddress,
  parseCidr,
  requireCidr,
} from '../../src/network/cidr.ts';

const hour = 3_600_000;
const block = (cidr: string, remainingMs = hour, id = cidr, version = 1): BlockChange => ({
  id,
  cidr,
  version,
  remainingMs,
});

function setOf(...changes: BlockChange[]) {
  let at = 1_000;
  const blocks = createBlockSet(() => at);
  blocks.apply(changes);
  return {
    ...blocks,
    wait: (ms: number) => {
      at += ms;
    },
  };
}

test.each([
  ['203.0.113.9', '203.0.113.9/32'],
  ['203.0.113.9/24', '203.0.113.0/24'],
  ['255.255.255.255/8', '255.0.0.0/8'],
  ['2001:DB8::1', '2001:db8::1/128'],
  ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:3:4:5:6/33', '2001:db8::/33'],
  ['::ffff:203.0.113.9', '203.0.113.9/32'],
  ['::ffff:203.0.113.9/120', '203.0.113.0/24'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201/128'],
])('%s is the range %s', (text, range) => {
  expect(formatCidr(requireCidr(text))).toBe(range);
});

test.each([
  '',
  'hello',
  '203.0.113',
  '203.0.113.9/33',
  '2001:db8::/129',
  '::1%lo',
  '1.2.3.4/08',
  '1.2.3.4/-1',
  ' 1.2.3.4',
])('"%s" is no range', (text) => {
  expect(parseCidr(text)).toBeNull();
});

test('an IPv4 range wider than /8 and an IPv6 range wider than /16 are too wide', () => {
  const isWide = (text: string) => isTooWide(requireCidr(text));
  expect(['9.0.0.0/8', '2001::/16', '::ffff:9.0.0.0/104'].map(isWide)).toEqual([false, false, false]);
  expect(['8.0.0.0/7', '0.0.0.0/0', '2000::/15', '::/0', '::ffff:0:0/96'].map(isWide)).toEqual(Array(5).fill(true));
});

test('ranges overlap where one holds the other, and families never do', () => {
  const meet = (one: string, other: string) => overlaps(requireCidr(one), requireCidr(other));
  expect(meet('10.0.0.0/8', '10.1.2.3')).toBe(true);
  expect(meet('10.1.2.3', '10.0.0.0/8')).toBe(true);
  expect(meet('10.0.0.0/9', '10.128.0.0/9')).toBe(false);
  expect(meet('::/16', '0.0.0.0/8')).toBe(false);
});

const word = fc.integer({ min: 0, max: 0xffff });
const ipv4 = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.'));
const ipv6 = fc
  .array(word, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((each) => each.toString(16)).join(':'));
const close = fc
  .array(fc.integer({ min: 0, max: 1 }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.join(':'));
const range = fc.oneof(
  fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })),
  fc.tuple(fc.oneof(ipv6, close), fc.integer({ min: 0, max: 128 })),
);

test('of any ranges, in any order, exactly the addresses in one of them are blocked, until the last of their ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(range, fc.integer({ min: 1, max: 1_000 })), { maxLength: 40 }),
      fc.array(fc.oneof(ipv4, ipv6, close), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 39 })),
      (ranges, addresses, liftedIndexes) => {
        const changes = ranges.map(([[address, prefix], ms], index) => block(`${address}/${prefix}`, ms, `${index}`));
        const blocks = setOf(...changes);
        const lifted = new Set(liftedIndexes.map(String));
        blocks.apply(
          changes.filter(({ id }) => lifted.has(id)).map((change) => ({ ...change, version: 2, remainingMs: -1 })),
        );
        // Long enough that what was lifted is forgotten, and the tree is pruned.
        blocks.apply(
          changes
            .filter(({ id }) => !lifted.has(id))
            .map((change) => ({ ...change, version: 3, remainingMs: change.remainingMs + 500_000 })),
        );
        blocks.wait(200_000);
        blocks.apply([]);
        for (const address of addresses) {
          const words = parseAddress(address) ?? [];
          const ends = changes
            .filter(({ id, cidr }) => !lifted.has(id) && holds(requireCidr(cidr), words))
            .map(({ remainingMs }) => remainingMs + 300_000);
          expect(blocks.remainingMs(address)).toBe(Math.max(0, ...ends));
        }
      },
    ),
  );
});

test('a block ends by the time alone', () => {
  const blocks = setOf(block('203.0.113.0/24', 5_000));
  blocks.wait(4_999);
  expect(blocks.remainingMs('203.0.113.9')).toBe(1);
  blocks.wait(1);
  expect(blocks.remainingMs('203.0.113.9')).toBe(0);
});

test('news that are older than what is known change nothing, also of a block that has ended', () => {
  const blocks = setOf(block('203.0.113.9', hour, 'one', 2));
  blocks.apply([block('203.0.113.9', 0, 'one', 1)]);
  expect(blocks.remainingMs('203.0.113.9')).toBe(hour);
  blocks.apply([block('203.0.113.9', -1, 'one', 3)]);
  blocks.apply([block('203.0.113.9', hour, 'one', 2)]);
  expect(blocks.remainingMs('203.0.113.9')).toBe(0);
});

test('an IPv4-mapped address is the IPv4 address, and what is no address is in no block', () => {
  const blocks = setOf(block('203.0.113.9'), block('2001:db8::/32'));
  expect(blocks.remainingMs('::ffff:203.0.113.9')).toBe(hour);
  expect(blocks.remainingMs('::ffff:203.0.113.8')).toBe(0);
  for (const text of ['', 'hello', '2001:db8::1%eth0']) expect(blocks.remainingMs(text)).toBe(0);
});
