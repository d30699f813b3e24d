import { expect, test } from 'vitest';
import { addressBucket } from '../../src/limits/addressBucket.ts';

test.each(['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:c000:0201'])(
  '%s is the IPv4 address',
  (ip) => expect(addressBucket(ip)).toBe('192.0.2.1'),
);

test.each([
  '2001:db8:1:2::',
  '2001:db8:1:2::1',
  '2001:0DB8:0001:0002:FFFF:FFFF:FFFF:FFFF',
  '2001:db8:1:2:0:0:192.0.2.1',
  '2001:db8:1:2::1%eth0',
])('%s is its /64', (ip) => expect(addressBucket(ip)).toBe('2001:db8:1:2::/64'));

test('addresses of other networks are others', () => {
  const addresses = [
    '192.0.2.1',
    '192.0.2.2',
    '2001:db8:1:2::1',
    '2001:db8:1:3::1',
    '2001:db8::1',
    '::1',
    '64:ff9b::1',
  ];
  expect(new Set(addresses.map(addressBucket)).size).toBe(addresses.length);
});

test.each(['', 'hello', '192.0.2.1, 192.0.2.2'])('%j is no address', (text) =>
  expect(() => addressBucket(text)).toThrow(),
);
