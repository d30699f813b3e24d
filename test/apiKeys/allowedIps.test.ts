import { describe, expect, test } from 'vitest';
import { isAllowed, isCidr } from '../../src/apiKeys/allowedIps.ts';

describe('a CIDR range', () => {
  test.each([
    '0.0.0.0/0',
    '10.0.0.0/8',
    '203.0.113.7/32',
    '::/0',
    '2001:db8::/32',
    '2001:DB8::1/128',
    '::ffff:10.0.0.0/104',
  ])('%j is one', (text) => {
    expect(isCidr(text)).toBe(true);
  });

  test.each([
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/1e1',
    '10.0.0.0/8/8',
    '10.0.0.0 /8',
    ' 10.0.0.0/8',
    '10.0.0.0/8\n',
    '10.0.0/8',
    '010.0.0.0/8',
    '256.0.0.0/8',
    '0x0a.0.0.0/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::/129',
    '2001:db8:::/32',
    '2001:db8::/032',
    'fe80::1%eth0/64',
    '[::1]/128',
    'localhost/8',
  ])('%j is none', (text) => {
    expect(isCidr(text)).toBe(false);
  });
});

describe('an address', () => {
  test.each<[allowedIps: string[], ip: string, isAllowed: boolean]>([
    [[], '198.51.100.1', true],
    [[], 'no address', true],
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/9'], '10.128.0.1', false],
    [['203.0.113.7/32'], '203.0.113.7', true],
    [['203.0.113.7/32'], '203.0.113.6', false],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['2001:db8::/33'], '2001:db8:7fff::1', true],
    [['2001:db8::/33'], '2001:db8:8000::1', false],
    [['::/0'], '2001:db8::1', true],
    [['192.0.2.0/24', '2001:db8::/32'], '2001:db8::9', true],
    [['192.0.2.0/24', '2001:db8::/32'], '192.0.3.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:a01:203', true],
    [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
    [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
    [['::ffff:10.0.0.0/104'], '11.1.2.3', false],
    [['10.0.0.0/8'], '::10.1.2.3', false],
    [['10.0.0.0/8'], 'no address', false],
    [['10.0.0.0/8'], '', false],
    [['0.0.0.0/0', '::/0'], '10.0.0.1, 10.0.0.2', false],
  ])('with %j, %j: %j', (allowedIps, ip, expected) => {
    expect(isAllowed(allowedIps, ip)).toBe(expected);
    expect(isAllowed(allowedIps, ip)).toBe(expected);
  });
});
