import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAccessTokens } from '../../src/auth/accessToken.ts';
import { createKeySet } from '../../src/auth/keySet.ts';
import type { SigningKeys } from '../../src/auth/signingKeys.ts';
import { encodePart as encode, forgeToken, newTestKey, type TestKey, testKeys } from '../support/signingKeys.ts';

const key = newTestKey();
const { privateKey, publicKey } = key;
const issuer = 'nexus-api';
const audience = 'nexus-clients';
const start = 1_800_000_000_000;
const iat = start / 1000;

let nowMs = start;
const tokensOver = (load: () => Promise<SigningKeys>) =>
  createAccessTokens({ keys: createKeySet(load), issuer, audience, now: () => nowMs });
const freshTokens = () => tokensOver(async () => testKeys(key));
const verify = (token: string) => freshTokens().verify(token);

const authenticatedAt = new Date(start - 600_000);
const grant = {
  userId: 'user_1',
  sessionId: 'sess_1',
  roles: ['OPERATOR', 'VIEWER'] as const,
  scopes: new Set(['tasks:read', 'tasks:write'] as const),
  authenticatedAt,
};
const goodHeader = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid };
const goodClaims = {
  ...{ iss: issuer, aud: audience, sub: 'user_1', jti: 'token-1', sid: 'sess_1' },
  ...{ roles: ['VIEWER'], scope: 'tasks:read', auth_time: iat - 600, iat, exp: iat + 3_600 },
};

/** A token with a good signature, whatever it says. */
const forge = (claims: unknown, header: unknown = goodHeader, signer: KeyObject = privateKey) =>
  forgeToken(header, claims, signer);

describe('a token of ours', () => {
  test('says what it was issued for, for an hour', async () => {
    nowMs = start;
    const { token, expiresAt } = await freshTokens().issue(grant);
    expect(expiresAt).toEqual(new Date(start + 3_600_000));
    expect(await verify(token)).toEqual({
      tokenId: expect.any(String),
      userId: 'user_1',
      sessionId: 'sess_1',
      roles: ['OPERATOR', 'VIEWER'],
      scopes: ['tasks:read', 'tasks:write'],
      authenticatedAt,
      expiresAt,
    });
  });

  test('without scopes has none', async () => {
    nowMs = start;
    const { token } = await freshTokens().issue({ ...grant, scopes: [] });
    expect((await verify(token))?.scopes).toEqual([]);
  });

  test('has an id of its own', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const issued = await Promise.all([1, 2, 3].map(() => tokens.issue(grant)));
    const claims = await Promise.all(issued.map(({ token }) => tokens.verify(token)));
    expect(new Set(claims.map((each) => each?.tokenId)).size).toBe(3);
  });

  test('ends after an hour to the second, where it was verified before too', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const { token } = await tokens.issue(grant);
    nowMs = start + 3_599_999;
    expect(await tokens.verify(token)).not.toBeNull();
    expect(await verify(token)).not.toBeNull();
    nowMs = start + 3_600_000;
    expect(await tokens.verify(token)).toBeNull();
    expect(await verify(token)).toBeNull();
  });

  test('is accepted by a process whose clock is some seconds behind', async () => {
    nowMs = start;
    const { token } = await freshTokens().issue(grant);
    nowMs = start - 4_000;
    expect(await verify(token)).not.toBeNull();
  });

  test('can be verified by anybody with the published key, which is named by its thumbprint and not secret', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const { token } = await tokens.issue(grant);
    const jwks = tokens.jwks();
    const kid = await calculateJwkThumbprint(publicKey);
    expect(jwks.keys).toEqual([{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'EdDSA' }]);
    expect(jwks.keys[0]).not.toHaveProperty('d');
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid });
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
      issuer,
      audience,
      currentDate: new Date(nowMs),
    });
    expect(payload).toEqual({ ...goodClaims, jti: payload.jti, roles: grant.roles, scope: 'tasks:read tasks:write' });
  });
});

describe('refused', () => {
  test('the forger of these tests can make a good token', async () => {
    nowMs = start;
    expect(await verify(forge(goodClaims))).not.toBeNull();
  });

  test.each<[string, Record<string, unknown>]>([
    ['another issuer', { iss: 'other' }],
    ['a list of issuers', { iss: [issuer] }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['our audience beside another', { aud: [audience, 'other'] }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['an object as subject', { sub: { id: 'user_1' } }],
    ['a list as subject', { sub: ['user_1'] }],
    ['a long subject', { sub: 'u'.repeat(101) }],
    ['no token id', { jti: undefined }],
    ['a number as token id', { jti: 1 }],
    ['no session', { sid: undefined }],
    ['null as session', { sid: null }],
    ['no roles', { roles: undefined }],
    ['an unknown role', { roles: ['ROOT'] }],
    ['roles as text', { roles: 'ADMIN' }],
    ['no scope', { scope: undefined }],
    ['an unknown scope', { scope: 'tasks:read everything' }],
    ['scopes as a list', { scope: ['tasks:read'] }],
    ['a scope between two spaces', { scope: ' tasks:read' }],
    ['no time of the log-in', { auth_time: undefined }],
    ['a time of the log-in in text', { auth_time: String(iat) }],
    ['a claim that we never issue', { admin: true }],
    ['no end', { exp: undefined }],
    ['an end in text', { exp: String(iat + 3_600) }],
    ['an end in the past', { iat: iat - 10, exp: iat - 1 }],
    ['an end this very second', { iat: iat - 10, exp: iat }],
    ['an end before its beginning', { iat: iat + 3, exp: iat + 2 }],
    ['more than an hour', { exp: iat + 3_601 }],
    ['an endless end', { exp: 1e300 }],
    ['a fraction of a second', { exp: iat + 0.5 }],
    ['no beginning', { iat: undefined }],
    ['a beginning in text', { iat: String(iat) }],
    ['a beginning in the far future', { iat: iat + 3_600, exp: iat + 7_200 }],
    ['a beginning in the far past', { iat: iat - 7_200, exp: iat + 60 }],
    ['not valid before the future', { nbf: iat + 3_600 }],
  ])('%s', async (_, changes) => {
    nowMs = start;
    expect(await verify(forge({ ...goodClaims, ...changes }))).toBeNull();
  });

  test.each<[string, Record<string, unknown>]>([
    ['no kid', { kid: undefined }],
    ['another kid', { kid: newTestKey().kid }],
    ['a list as kid', { kid: [key.kid] }],
    ['typ JWT', { typ: 'JWT' }],
    ['typ application/at+jwt, which RFC 9068 allows and we never write', { typ: 'application/at+jwt' }],
    ['typ AT+JWT', { typ: 'AT+JWT' }],
    ['no typ', { typ: undefined }],
    ['a list as typ', { typ: ['at+jwt'] }],
    ['no alg', { alg: undefined }],
    ['alg none', { alg: 'none' }],
    ['alg nOnE', { alg: 'nOnE' }],
    ['alg HS256', { alg: 'HS256' }],
    ['alg RS256', { alg: 'RS256' }],
    ['alg Ed25519, the other name', { alg: 'Ed25519' }],
    ['an unknown critical header', { crit: ['x'], x: 1 }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
  ])('a header with %s', async (_, changes) => {
    nowMs = start;
    expect(await verify(forge(goodClaims, { ...goodHeader, ...changes }))).toBeNull();
  });

  test.each<[string, string]>([
    ['white space', JSON.stringify(goodClaims).replace(',', ', ')],
    ['a line end', `${JSON.stringify(goodClaims)}\n`],
    ['an escaped letter', JSON.stringify(goodClaims).replace('user_1', String.raw`\u0075ser_1`)],
    ['the subject twice', JSON.stringify(goodClaims).replace('"sub"', '"sub":"user_2","sub"')],
    ['another order', JSON.stringify(Object.fromEntries(Object.entries(goodClaims).reverse()))],
    ['a prototype', JSON.stringify(goodClaims).replace('{', '{"__proto__":{"roles":["ADMIN"]},')],
    ['a byte order mark', `\uFEFF${JSON.stringify(goodClaims)}`],
    ['an end as 1.8e9', JSON.stringify(goodClaims).replace(String(goodClaims.exp), `${goodClaims.exp}.0`)],
  ])('claims that say the same in another text: %s', async (_, text) => {
    nowMs = start;
    expect(await verify(forge(text))).toBeNull();
  });

  test.each<[string, string]>([
    ['white space', JSON.stringify(goodHeader).replace(',', ', ')],
    ['the kid twice', JSON.stringify(goodHeader).replace('"kid"', '"kid":"x","kid"')],
    ['another order', JSON.stringify(Object.fromEntries(Object.entries(goodHeader).reverse()))],
    ['alg none before', JSON.stringify(goodHeader).replace('{', '{"alg":"none",')],
  ])('a header that says the same in another text: %s', async (_, text) => {
    nowMs = start;
    expect(await verify(forge(goodClaims, text))).toBeNull();
  });

  test('a key that came with the token', async () => {
    nowMs = start;
    const own = generateKeyPairSync('ed25519');
    const jwk = own.publicKey.export({ format: 'jwk' });
    expect(await verify(forge(goodClaims, { ...goodHeader, jwk }, own.privateKey))).toBeNull();
  });

  test('alg none without a signature, in each of its spellings', async () => {
    nowMs = start;
    for (const alg of ['none', 'None', 'NONE', '']) {
      const unsigned = `${encode({ ...goodHeader, alg })}.${encode(goodClaims)}`;
      expect(await verify(`${unsigned}.`)).toBeNull();
      expect(await verify(unsigned)).toBeNull();
      expect(await verify(`${unsigned}.${'A'.repeat(86)}`)).toBeNull();
    }
  });

  test('HS256 with our public key as the secret, in each of its forms', async () => {
    nowMs = start;
    const { x = '' } = publicKey.export({ format: 'jwk' });
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      x,
      Buffer.from(x, 'base64url'),
    ];
    for (const secret of secrets) {
      for (const bits of [256, 512]) {
        const signed = `${encode({ ...goodHeader, alg: `HS${bits}` })}.${encode(goodClaims)}`;
        expect(
          await verify(`${signed}.${createHmac(`sha${bits}`, secret).update(signed).digest('base64url')}`),
        ).toBeNull();
      }
    }
  });

  test('every other spelling of a good token', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const { token } = await tokens.issue(grant);
    const [header = '', claims = '', signature = ''] = token.split('.');
    const spellings = [
      ...[`${token}=`, `${token}==`, `${token}\n`, `${token}\r\n`, ` ${token}`, `${token} `, `${token}.`, `.${token}`],
      ...[
        `${header}=.${claims}.${signature}`,
        `${header}.${claims}=.${signature}`,
        `${header}.${claims}\n.${signature}`,
      ],
      ...[`${header}..${signature}`, `${header}.${claims}`, `${token}\0`, token.toUpperCase(), `Bearer ${token}`, ''],
    ];
    for (const spelling of spellings) expect(await tokens.verify(spelling)).toBeNull();
    expect(await tokens.verify(token)).not.toBeNull();
  });

  test('a good token with any one character changed, spare bits of base64 included', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const { token } = await tokens.issue(grant);
    expect(await tokens.verify(token)).not.toBeNull();
    const changed = [...token].map((character, at) => {
      const other = character === 'A' ? 'B' : 'A';
      return token.slice(0, at) + other + token.slice(at + 1);
    });
    const lastVariants = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .map((last) => token.slice(0, -1) + last)
      .filter((variant) => variant !== token);
    for (const variant of [...changed, ...lastVariants]) expect(await tokens.verify(variant)).toBeNull();
  });

  test('another process’s key, and claims that are no object', async () => {
    nowMs = start;
    expect(await verify(forge(goodClaims, goodHeader, generateKeyPairSync('ed25519').privateKey))).toBeNull();
    for (const claims of [null, 1, 'text', [goodClaims], []]) expect(await verify(forge(claims))).toBeNull();
  });

  test('a token of a megabyte, at once', async () => {
    nowMs = start;
    const huge = forge({ ...goodClaims, padding: 'x'.repeat(1_000_000) });
    const tokens = freshTokens();
    const begun = performance.now();
    for (let count = 0; count < 1_000; count++) await tokens.verify(huge);
    expect(performance.now() - begun).toBeLessThan(500);
    expect(await tokens.verify(huge)).toBeNull();
    expect(await verify(forge({ ...goodClaims, padding: 'x'.repeat(4_000) }))).toBeNull();
  });

  test('random text never makes verification throw', async () => {
    nowMs = start;
    const tokens = freshTokens();
    const parts = [
      '',
      '{}',
      '[]',
      'null',
      '{"alg":1}',
      '{"alg":"EdDSA"}',
      '{"alg":"EdDSA","crit":1}',
      '{"__proto__":{}}',
      JSON.stringify(goodHeader),
      '\u0000',
      '"',
    ];
    for (const header of parts) {
      for (const claims of parts) {
        const token = `${Buffer.from(header).toString('base64url')}.${Buffer.from(claims).toString('base64url')}.${'A'.repeat(86)}`;
        expect(await tokens.verify(token)).toBeNull();
      }
    }
  });
});

describe('keys that change', () => {
  /** Tokens whose keys are those that `keys` holds whenever they are read. */
  function changing(...first: Parameters<typeof testKeys>) {
    const state = { keys: testKeys(...first), reads: 0, failure: null as Error | null };
    const tokens = tokensOver(async () => {
      state.reads += 1;
      if (state.failure) throw state.failure;
      return state.keys;
    });
    return { state, tokens };
  }
  const tokenOf = (signer: TestKey) => forge(goodClaims, { ...goodHeader, kid: signer.kid }, signer.privateKey);

  test('each verifies its own tokens and no others, and all are published', async () => {
    nowMs = start;
    const [next, retired] = [newTestKey(), newTestKey()];
    const { tokens } = changing(key, next, { ...retired, remainingMs: 60_000 });
    for (const signer of [key, next, retired]) expect(await tokens.verify(tokenOf(signer))).not.toBeNull();
    const mixed = forge(goodClaims, { ...goodHeader, kid: next.kid }, key.privateKey);
    expect(await tokens.verify(mixed)).toBeNull();
    expect(tokens.jwks().keys.map(({ kid }) => kid)).toEqual([key.kid, next.kid, retired.kid]);
    expect(decodeProtectedHeader((await tokens.issue(grant)).token).kid).toBe(key.kid);
  });

  test('one that is gone after a reload verifies nothing any more, what it had verified before included', async () => {
    nowMs = start;
    const other = newTestKey();
    const { state, tokens } = changing(key);
    const { token } = await tokens.issue(grant);
    expect(await tokens.verify(token)).not.toBeNull();
    state.keys = testKeys(other);
    await tokens.reload();
    expect(await tokens.verify(token)).toBeNull();
    expect(tokens.jwks().keys.map(({ kid }) => kid)).toEqual([other.kid]);
    expect(decodeProtectedHeader((await tokens.issue(grant)).token).kid).toBe(other.kid);
  });

  test('the time of the log-in is a claim of its own', async () => {
    nowMs = start;
    expect(decodeJwt((await freshTokens().issue(grant)).token).auth_time).toBe(authenticatedAt.getTime() / 1000);
  });
});
