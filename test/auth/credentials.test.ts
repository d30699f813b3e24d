import { describe, expect, test } from 'vitest';
import { collectCredentials } from '../../src/auth/credentials.ts';

const key = 'nxk_test_abc';
const token = 'eyJ.eyJ.sig-_';
const collect = (...rawHeaders: string[]) => collectCredentials(rawHeaders, 'nexus.sid');

describe('one credential is found', () => {
  test.each<[string[], object]>([
    [[], { kind: 'NONE' }],
    [['Host', 'nexus', 'Cookie', 'theme=dark; sid=x'], { kind: 'NONE' }],
    [['Authorization', `Bearer ${key}`], { kind: 'API_KEY', secret: key }],
    [['authorization', `bEARER   ${key}`], { kind: 'API_KEY', secret: key }],
    [['X-API-Key', key], { kind: 'API_KEY', secret: key }],
    [['x-api-key', token], { kind: 'API_KEY', secret: token }],
    [['AUTHORIZATION', `Bearer ${token}`], { kind: 'ACCESS_TOKEN', secret: token }],
    [['Cookie', 'nexus.sid=s3cret'], { kind: 'SESSION', secret: 's3cret' }],
    [['Cookie', 'a=b;nexus.sid=s=1 ; c=d'], { kind: 'SESSION', secret: 's=1' }],
    [['Cookie', 'a=b', 'cookie', 'nexus.sid=s'], { kind: 'SESSION', secret: 's' }],
  ])('in %j', (rawHeaders, expected) => {
    expect(collect(...rawHeaders)).toEqual(expected);
  });

  test('in the cookie of the configured name alone', () => {
    const rawHeaders = ['Cookie', 'nexus.sid=a; __Host-nexus.sid=b; NEXUS.SID=c; xnexus.sid=d; nexus.sid2=e'];
    expect(collectCredentials(rawHeaders, '__Host-nexus.sid')).toEqual({ kind: 'SESSION', secret: 'b' });
    expect(collectCredentials(rawHeaders, 'nexus.sid')).toEqual({ kind: 'SESSION', secret: 'a' });
  });
});

describe('an empty credential is one, and bad', () => {
  test.each<[string[], object]>([
    [['X-API-Key', ''], { kind: 'API_KEY', secret: '' }],
    [['Cookie', 'nexus.sid='], { kind: 'SESSION', secret: '' }],
  ])('in %j', (rawHeaders, expected) => {
    expect(collect(...rawHeaders)).toEqual(expected);
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    `Basic ${btoa('user:password')}`,
    key,
    token,
    `Bearer${key}`,
    `Bearer\t${key}`,
    `Bearer ${key} ${key}`,
    `Bearer ${key}, Bearer ${key}`,
    `Bearer ${key}\n`,
    'Bearer =',
    'Bearer schlüssel',
    'DPoP abc',
  ])('in Authorization: %j', (value) => {
    expect(collect('Authorization', value)).toMatchObject({ kind: 'REFUSED', refusal: { code: 'UNAUTHENTICATED' } });
  });
});

describe('more than one credential is ambiguous', () => {
  const bearer = ['Authorization', `Bearer ${key}`];
  const header = ['X-API-Key', key];
  const cookie = ['Cookie', 'nexus.sid=s'];

  test.each<[string, string[]]>([
    ['the same key in two headers', [...bearer, ...header]],
    ['a key and a session', [...header, ...cookie]],
    ['a token and a session', ['Authorization', `Bearer ${token}`, ...cookie]],
    ['a bad Authorization and a session', ['Authorization', 'Basic x', ...cookie]],
    ['an empty Authorization and a session', ['Authorization', '', ...cookie]],
    ['an empty key and a session', ['X-API-Key', '', ...cookie]],
    ['a key and an empty session', [...header, 'Cookie', 'nexus.sid=']],
    ['Authorization twice', [...bearer, 'authorization', `Bearer ${key}`]],
    ['X-API-Key twice', [...header, 'x-api-key', key]],
    ['two cookies in one header', ['Cookie', 'nexus.sid=a; nexus.sid=a']],
    ['two cookies in two headers', [...cookie, ...cookie]],
    ['all of them', [...bearer, ...header, ...cookie]],
  ])('%s', (_, rawHeaders) => {
    expect(collect(...rawHeaders)).toMatchObject({ kind: 'REFUSED', refusal: { code: 'AMBIGUOUS_CREDENTIALS' } });
  });
});
