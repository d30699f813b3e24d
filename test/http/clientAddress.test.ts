import { expect, test } from 'vitest';
import { clientAddress } from '../../src/http/clientAddress.ts';

test.each([
  ['192.0.2.1', '10.0.0.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
  ['::FFFF:192.0.2.1', undefined, '192.0.2.1'],
  ['2001:db8::1', '10.0.0.1', '2001:db8::1'],
  ['fe80::1%eth0', undefined, 'fe80::1'],
  ['hello', '::ffff:10.0.0.1', '10.0.0.1'],
  ['192.0.2.1:4000', '10.0.0.1', '10.0.0.1'],
  ['', '10.0.0.1', '10.0.0.1'],
  [undefined, '::1', '::1'],
  [undefined, undefined, '0.0.0.0'],
])('forwarded %s by %s is %s', (forwarded, peer, address) => {
  expect(clientAddress(forwarded, peer)).toBe(address);
});
