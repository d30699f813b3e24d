import { randomInt } from 'node:crypto';
import { BlockList } from 'node:net';
import { createBlockSet } from '../../src/ipBlocks/blockSet.ts';
import { formatCidr, requireCidr } from '../../src/network/cidr.ts';

const blockCount = 100_000;
const calls = 500_000;
const rounds = 5;
const maxMicroseconds = 2;
const maxMegabytes = 64;

type Family = { name: string; prefixes: readonly number[]; address(): string };

const group = () => randomInt(0x10000).toString(16);
const ipv4 = () => Array.from({ length: 4 }, () => randomInt(1, 224)).join('.');
const ipv6 = () => `2001:${Array.from({ length: 7 }, group).join(':')}`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const families: Family[] = [
  { name: 'IPv4, /24 and /32', prefixes: [24, 32], address: ipv4 },
  { name: 'IPv4, every prefix from /12', prefixes: range(12, 32), address: ipv4 },
  { name: 'IPv6, /48, /64 and /128', prefixes: [48, 64, 128], address: ipv6 },
  { name: 'IPv6, every prefix from /32', prefixes: range(32, 128), address: ipv6 },
];

/** The table of what it costs to know whether an address is blocked, of 100,000 blocks: CPU and heap of this process. */
export function measureBlocks(): string {
  return [
    `| ${blockCount} blocks | µs/check | to reach | MB | to reach |`,
    '| --- | ---: | ---: | ---: | ---: |',
    ...families.map(rowOf),
    `| node:net BlockList, IPv4, /24 and /32 | ${measureBlockList().toFixed(0)} | | | |`,
  ].join('\n');
}

function rowOf({ name, prefixes, address }: Family): string {
  const cidrs = Array.from({ length: blockCount }, (_, index) =>
    formatCidr(requireCidr(`${address()}/${prefixes[index % prefixes.length]}`)),
  );
  const before = heapMegabytes();
  const blocks = createBlockSet();
  blocks.apply(cidrs.map((cidr, index) => ({ id: `block_${index}`, cidr, version: 1, remainingMs: 3_600_000 })));
  const megabytes = heapMegabytes() - before;
  const addresses = Array.from({ length: 10_000 }, address);
  const times = range(1, rounds).map(() => timeOf(calls, (call) => blocks.remainingMs(addresses[call % 10_000] ?? '')));
  const columns = [name, median(times).toFixed(2), `≤ ${maxMicroseconds}`, megabytes.toFixed(0), `≤ ${maxMegabytes}`];
  return `| ${columns.join(' | ')} |`;
}

function measureBlockList(): number {
  const list = new BlockList();
  for (let index = 0; index < blockCount; index += 1) list.addSubnet(ipv4(), index % 2 === 0 ? 24 : 32);
  const addresses = Array.from({ length: 20 }, ipv4);
  return timeOf(addresses.length, (call) => list.check(addresses[call] ?? ''));
}

function timeOf(count: number, work: (call: number) => unknown): number {
  const begunAt = process.cpuUsage();
  for (let call = 0; call < count; call += 1) work(call);
  const { user, system } = process.cpuUsage(begunAt);
  return (user + system) / count;
}

function heapMegabytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
