import { describe, expect, test } from 'vitest';
import { createClientAddress } from '../../src/http/clientAddress.ts';

const many = Array.from({ length: 2_000 }, (_, index) => `10.9.${index % 256}.1`).join(', ');

describe('without a proxy', () => {
  const addressOf = createClientAddress([]);

  test.each([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['127.0.0.1', '203.0.113.9', '127.0.0.1'],
    ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['::FFFF:192.0.2.1', undefined, '192.0.2.1'],
    ['2001:DB8:0:0::1', undefined, '2001:db8::1'],
    ['fe80::1%eth0', undefined, 'fe80::1'],
    ['::1', undefined, '::1'],
    [undefined, undefined, '0.0.0.0'],
    [undefined, '203.0.113.9', '0.0.0.0'],
  ])('%s is believed, and not its X-Forwarded-For %s', (peer, forwarded, address) => {
    expect(addressOf(peer, forwarded)).toBe(address);
  });
});

describe('behind proxies in 10.0.0.0/8 and 2001:db8:ff::/48', () => {
  const addressOf = createClientAddress(['10.0.0.0/8', '2001:db8:ff::/48', '192.0.2.77']);

  test.each([
    ['what the proxy says', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a proxy that is one address', '192.0.2.77', '203.0.113.9', '203.0.113.9'],
    ['a proxy over IPv6', '2001:db8:ff::5', '2001:DB8::9', '2001:db8::9'],
    ['a proxy over mapped IPv4', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a peer that is no proxy', '192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['a client that sends one itself', '10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['a client that names a proxy', '10.0.0.1', '10.0.0.2, 203.0.113.9', '203.0.113.9'],
    ['a client that names loopback', '10.0.0.1', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['several hops', '10.0.0.1', '203.0.113.9, 10.0.0.3, 10.0.0.2', '203.0.113.9'],
    ['several hops and a client that lies', '10.0.0.1', '198.51.100.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['a hop that is no proxy of ours', '10.0.0.1', '198.51.100.1, 203.0.113.9, 192.0.2.50, 10.0.0.2', '192.0.2.50'],
    ['proxies alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['garbage', '10.0.0.1', 'hello', '10.0.0.1'],
    ['garbage before a proxy', '10.0.0.1', '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['garbage of the client', '10.0.0.1', '<script>, 203.0.113.9', '203.0.113.9'],
    ['nothing', '10.0.0.1', '', '10.0.0.1'],
    ['nothing at the end', '10.0.0.1', '203.0.113.9,', '10.0.0.1'],
    ['commas', '10.0.0.1', ',,,', '10.0.0.1'],
    ['no white space', '10.0.0.1', '198.51.100.1,203.0.113.9', '203.0.113.9'],
    ['a port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['brackets', '10.0.0.1', '[2001:db8::9]', '2001:db8::9'],
    ['brackets and a port', '10.0.0.1', '[2001:db8::9]:4711', '2001:db8::9'],
    ['a port that is none', '10.0.0.1', '203.0.113.9:x', '10.0.0.1'],
    ['a mapped client', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['a mapped client in hex', '10.0.0.1', '::ffff:cb00:7109', '203.0.113.9'],
    ['a mapped proxy on the way', '10.0.0.1', '203.0.113.9, ::ffff:10.0.0.2', '203.0.113.9'],
    ['octal parts', '10.0.0.1', '0203.0.113.9', '10.0.0.1'],
    ['a quoted address', '10.0.0.1', '"203.0.113.9"', '10.0.0.1'],
    ['very many entries of a client', '10.0.0.1', `${many}, 203.0.113.9`, '203.0.113.9'],
    ['very many proxies', '10.0.0.1', `203.0.113.9, ${many}`, '203.0.113.9'],
    ['a very long entry', '10.0.0.1', `${'1'.repeat(100_000)}, 203.0.113.9`, '203.0.113.9'],
  ])('%s', (_what, peer, forwarded, address) => {
    expect(addressOf(peer, forwarded)).toBe(address);
  });

  test('several header lines are one list, in their order', () => {
    expect(addressOf('10.0.0.1', ['198.51.100.1', '203.0.113.9', '10.0.0.2'])).toBe('203.0.113.9');
  });
});
