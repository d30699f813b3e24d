import { expect, test } from 'vitest';
import { isSecretName, redactEntries } from '../../src/log/redactEntries.ts';

test.each([
  'password',
  'newPassword',
  'BOOTSTRAP_ADMIN_PASSWORD',
  'passphrase',
  'pwd',
  'secret',
  'clientSecret',
  'token',
  'accessToken',
  'refresh_tokens',
  'Authorization',
  'cookie',
  'set-cookie',
  'apiKey',
  'x-api-key',
  'api_key',
  'hash',
  'secretHash',
  'passwordHash',
  'token_hash',
  'credentials',
  'privateKey',
  'MASTER_KEY',
  'jwt',
  'sid',
  'secretFormat',
])('what is called %s is secret', (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each([
  'id',
  'apiKeyId',
  'credentialId',
  'api_key_id',
  'credentialKind',
  'accessTokenExpiresAt',
  'path',
  'operationName',
])('what is called %s is not', (name) => {
  expect(isSecretName(name)).toBe(false);
});

test('secrets are found at any depth, in lists, maps and texts', () => {
  const result = JSON.stringify(
    redactEntries({
      user: { name: 'ada', password: 'hunter2' },
      list: [{ headers: { authorization: 'hunter2', accept: '*/*' } }],
      map: new Map([['token', { token: 'hunter2' }]]),
      text: `key nxk_test_${'hunter2'.repeat(7)}`,
      apiKey: { secret: 'hunter2' },
    }),
  );
  expect(result).not.toContain('hunter2');
  expect(result).toContain('"name":"ada"');
  expect(result).toContain('"accept":"*/*"');
});

test('null and yes or no say nothing secret', () => {
  expect(redactEntries({ password: null, token: true })).toEqual({ password: null, token: true });
});

test('a secret in the name of a property does not get through', () => {
  expect(JSON.stringify(redactEntries({ [`nxk_live_${'a'.repeat(49)}`]: 1 }))).not.toContain('aaaa');
});

test('a cycle, a deep value and a wide value end', () => {
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle.self = cycle;
  cycle.both = [cycle, cycle];
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`p${index}`, [cycle, cycle]]));
  const text = JSON.stringify(redactEntries({ cycle, wide, list: Array(10_000).fill({ x: 1 }) }));
  expect(text).toContain('[OMITTED]');
  expect(text.length).toBeLessThan(200_000);
});

test('errors inside are described, not copied', () => {
  const error = Object.assign(new Error('insert into users values (hunter2)'), {
    query: 'hunter2',
    params: ['hunter2'],
  });
  const text = JSON.stringify(redactEntries({ nested: { error } }));
  expect(text).not.toContain('hunter2');
  expect(text).toContain('"name":"Error"');
});

test('values that JSON has no word for become texts', () => {
  expect(
    redactEntries({
      big: 10n,
      date: new Date(0),
      never: new Date(Number.NaN),
      url: new URL('https://a:hunter2@b.example/'),
      set: new Set([1]),
      buffer: Buffer.from('hunter2'),
      fn: () => 1,
      symbol: Symbol('x'),
    }),
  ).toEqual({
    big: '10',
    date: '1970-01-01T00:00:00.000Z',
    never: null,
    url: 'https://[REDACTED]@b.example/',
    set: [1],
    buffer: '[7 bytes]',
    fn: undefined,
    symbol: undefined,
  });
});

test('a property called __proto__ is a property', () => {
  const result = redactEntries(JSON.parse('{"__proto__": {"isAdmin": true}}'));
  expect(Object.keys(result)).toEqual(['__proto__']);
  expect(Reflect.get({}, 'isAdmin')).toBeUndefined();
});
