import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactEncrypt, decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, startApp, type TestApp } from '../support/app.ts';
import { currentKeyOf, encodePart, forgeToken, newTestKey } from '../support/signingKeys.ts';

const masterKey = `attacked:${'c3'.repeat(32)}`;
const refusal = '{"errors":[{"message":"A valid credential is needed.","extensions":{"code":"UNAUTHENTICATED"}}]}\n';
const query = '{ me { kind roles user { id } } }';

/** What an attacker works with: a token and a session of its own, our public keys, and other keys of every kind. */
type Arsenal = {
  /** The key that signs in the app: with it whatever is forged has a good signature. */
  ours: { kid: string; privateKey: KeyObject; publicKey: KeyObject };
  header: { alg: string; typ: string; kid: string };
  /** Of the attacker, a VIEWER. */
  claims: Record<string, unknown> & { iat: number; exp: number };
  token: string;
  parts: [header: string, claims: string, signature: string];
  victim: Record<string, unknown>;
  canary: string;
};

let app: TestApp;
let canary: Server;
let canaryConnections = 0;
let arsenal: Arsenal;

const foreign = newTestKey();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

beforeAll(async () => {
  canary = createServer((_request, response) => {
    response.end(JSON.stringify({ keys: [{ ...foreign.publicKey.export({ format: 'jwk' }), kid: foreign.kid }] }));
  }).listen(0, '127.0.0.1');
  canary.on('connection', () => {
    canaryConnections += 1;
  });
  await once(canary, 'listening');
  app = await startApp({ env: { MASTER_KEY: masterKey } });
  const attacker: Person = await app.createPerson('VIEWER');
  const ours = await currentKeyOf(app, masterKey);
  const [header = '', claims = '', signature = ''] = attacker.accessToken.split('.');
  arsenal = {
    ours,
    header: { alg: 'EdDSA', typ: 'at+jwt', kid: ours.kid },
    claims: decodeJwt(attacker.accessToken) as Arsenal['claims'],
    token: attacker.accessToken,
    parts: [header, claims, signature],
    victim: decodeJwt(app.admin.accessToken),
    canary: `http://127.0.0.1:${(canary.address() as AddressInfo).port}`,
  };
});
afterAll(async () => {
  await app?.stop();
  canary?.close();
});

/** With our key, whatever header and claims say. */
const withClaims = (changes: object, { header, claims, ours }: Arsenal) =>
  forgeToken(header, { ...claims, ...changes }, ours.privateKey);
const withHeader = (changes: object, { header, claims, ours }: Arsenal) =>
  forgeToken({ ...header, ...changes }, claims, ours.privateKey);
const withText = (change: (text: string) => string, { header, claims, ours }: Arsenal) =>
  forgeToken(header, change(JSON.stringify(claims)), ours.privateKey);
const withHeaderText = (change: (text: string) => string, { header, claims, ours }: Arsenal) =>
  forgeToken(change(JSON.stringify(header)), claims, ours.privateKey);

const unsigned = (alg: string, { header, claims }: Arsenal, signature = '') =>
  `${encodePart({ ...header, alg })}.${encodePart(claims)}.${signature}`;

function withHmac(bits: number, secret: string | Buffer, { header, claims }: Arsenal): string {
  const signed = `${encodePart({ ...header, alg: `HS${bits}` })}.${encodePart(claims)}`;
  return `${signed}.${createHmac(`sha${bits}`, secret).update(signed).digest('base64url')}`;
}

function withKeyOf(alg: string, key: Parameters<typeof sign>[2], { header, claims }: Arsenal): string {
  const signed = `${encodePart({ ...header, alg })}.${encodePart(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** With a key of the attacker, and a header that says where to find it. */
const withForeignKey = (changes: object, { header, claims }: Arsenal) =>
  forgeToken({ ...header, ...changes }, claims, foreign.privateKey);

function jwkText({ ours }: Arsenal): string {
  return JSON.stringify(ours.publicKey.export({ format: 'jwk' }));
}

const attacks: [name: string, token: (arsenal: Arsenal) => string | Promise<string>][] = [
  // The algorithm.
  ['alg none, no signature', (a) => unsigned('none', a)],
  ['alg None', (a) => unsigned('None', a)],
  ['alg NONE', (a) => unsigned('NONE', a)],
  ['alg nOnE', (a) => unsigned('nOnE', a)],
  ['alg empty', (a) => unsigned('', a)],
  ['alg none, with the signature of a good token', (a) => unsigned('none', a, a.parts[2])],
  ['alg none, and no last dot', (a) => unsigned('none', a).slice(0, -1)],
  ['alg null', (a) => withHeader({ alg: null }, a)],
  ['alg as a list', (a) => withHeader({ alg: ['EdDSA'] }, a)],
  ['no alg', (a) => withHeader({ alg: undefined }, a)],
  ['alg Ed25519, the later name of ours', (a) => withHeader({ alg: 'Ed25519' }, a)],
  [
    'HS256 with our public key, raw',
    (a) => withHmac(256, Buffer.from(String(a.ours.publicKey.export({ format: 'jwk' }).x), 'base64url'), a),
  ],
  [
    'HS256 with our public key, as x of the JWK',
    (a) => withHmac(256, String(a.ours.publicKey.export({ format: 'jwk' }).x), a),
  ],
  ['HS256 with our public key, PEM', (a) => withHmac(256, a.ours.publicKey.export({ type: 'spki', format: 'pem' }), a)],
  [
    'HS256 with our public key, PEM without its last line end',
    (a) => withHmac(256, String(a.ours.publicKey.export({ type: 'spki', format: 'pem' })).trim(), a),
  ],
  ['HS256 with our public key, DER', (a) => withHmac(256, a.ours.publicKey.export({ type: 'spki', format: 'der' }), a)],
  ['HS256 with our public key, JWK', (a) => withHmac(256, jwkText(a), a)],
  ['HS256 with an empty secret', (a) => withHmac(256, '', a)],
  ['HS512 with our public key, PEM', (a) => withHmac(512, a.ours.publicKey.export({ type: 'spki', format: 'pem' }), a)],
  ['RS256', (a) => withKeyOf('RS256', rsa.privateKey, a)],
  ['PS256', (a) => withKeyOf('PS256', { key: rsa.privateKey, padding: 6, saltLength: 32 }, a)],
  ['ES256', (a) => withKeyOf('ES256', { key: p256.privateKey, dsaEncoding: 'ieee-p1363' }, a)],
  ['ES256 with a signature of zeros', (a) => unsigned('ES256', a, Buffer.alloc(64).toString('base64url'))],
  ['EdDSA with a signature of zeros', (a) => unsigned('EdDSA', a, Buffer.alloc(64).toString('base64url'))],

  // The key.
  ['another key under our kid', (a) => withForeignKey({}, a)],
  ['another key under its own kid', (a) => withForeignKey({ kid: foreign.kid }, a)],
  ['no kid', (a) => withHeader({ kid: undefined }, a)],
  ['an unknown kid', (a) => withHeader({ kid: foreign.kid }, a)],
  ['an empty kid', (a) => withHeader({ kid: '' }, a)],
  ['kid null', (a) => withHeader({ kid: null }, a)],
  ['our kid in a list', (a) => withHeader({ kid: [a.ours.kid] }, a)],
  ['our kid in an object', (a) => withHeader({ kid: { toString: a.ours.kid } }, a)],
  [
    'kid as a path to an empty file',
    (a) => forgeToken({ ...a.header, kid: '../../../../../../dev/null' }, a.claims, foreign.privateKey),
  ],
  ['kid as SQL', (a) => withForeignKey({ kid: `x' union select '${foreign.x}' -- ` }, a)],
  ['kid as a command', (a) => withForeignKey({ kid: '|/usr/bin/id' }, a)],
  ['kid as a URL', (a) => withForeignKey({ kid: `${a.canary}/key` }, a)],
  ['kid of 3,000 characters', (a) => withHeader({ kid: 'k'.repeat(3_000) }, a)],
  ['kid __proto__', (a) => withForeignKey({ kid: '__proto__' }, a)],
  ['kid constructor, filled up', (a) => withForeignKey({ kid: 'constructor'.padEnd(43, '_') }, a)],
  ['kid with a NUL behind ours', (a) => withHeader({ kid: `${a.ours.kid}\0` }, a)],
  ['jku', (a) => withForeignKey({ kid: foreign.kid, jku: `${a.canary}/jwks.json` }, a)],
  ['jku, under our kid', (a) => withForeignKey({ jku: `${a.canary}/jwks.json` }, a)],
  ['jku, with our key', (a) => withHeader({ jku: `${a.canary}/jwks.json` }, a)],
  ['x5u', (a) => withForeignKey({ x5u: `${a.canary}/chain.pem` }, a)],
  ['jwk', (a) => withForeignKey({ jwk: foreign.publicKey.export({ format: 'jwk' }) }, a)],
  ['jwk, with our key', (a) => withHeader({ jwk: a.ours.publicKey.export({ format: 'jwk' }) }, a)],
  [
    'x5c',
    (a) => withForeignKey({ x5c: [foreign.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }, a),
  ],
  ['x5t', (a) => withForeignKey({ 'x5t#S256': 'A'.repeat(43) }, a)],
  ['iss as a URL with keys', (a) => withClaims({ iss: a.canary }, a)],

  // The rest of the header.
  ['typ JWT', (a) => withHeader({ typ: 'JWT' }, a)],
  ['no typ', (a) => withHeader({ typ: undefined }, a)],
  ['typ application/at+jwt, which we never write', (a) => withHeader({ typ: 'application/at+jwt' }, a)],
  ['typ of an ID token’s log-out', (a) => withHeader({ typ: 'logout+jwt' }, a)],
  ['typ as a list', (a) => withHeader({ typ: ['at+jwt'] }, a)],
  ['crit with a name that nobody knows', (a) => withHeader({ crit: ['exp2'], exp2: 1 }, a)],
  ['an empty crit', (a) => withHeader({ crit: [] }, a)],
  ['b64 false, critical', (a) => withHeader({ b64: false, crit: ['b64'] }, a)],
  ['b64 false, not critical', (a) => withHeader({ b64: false }, a)],
  ['zip', (a) => withHeader({ zip: 'DEF' }, a)],
  ['cty JWT', (a) => withHeader({ cty: 'JWT' }, a)],
  ['alg twice', (a) => withHeaderText((text) => text.replace('{', '{"alg":"none",'), a)],
  ['kid twice', (a) => withHeaderText((text) => text.replace('"kid"', `"kid":"${foreign.kid}","kid"`), a)],
  [
    'a header in another order',
    (a) => withHeaderText((text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())), a),
  ],
  ['a header with white space', (a) => withHeaderText((text) => text.replace(':', ': '), a)],
  ['a header that is a list', (a) => forgeToken([a.header], a.claims, a.ours.privateKey)],
  ['a header that is no JSON', (a) => forgeToken('{', a.claims, a.ours.privateKey)],
  ['a header that is not UTF-8', (a) => withHeaderText((text) => text.replace('at+jwt', 'at+jwt\uD800'), a)],

  // The claims, under a good signature.
  ['another issuer', (a) => withClaims({ iss: 'nexus' }, a)],
  ['our issuer in a list', (a) => withClaims({ iss: ['nexus-api'] }, a)],
  ['no issuer', (a) => withClaims({ iss: undefined }, a)],
  ['another audience', (a) => withClaims({ aud: 'other' }, a)],
  ['our audience in a list', (a) => withClaims({ aud: ['nexus-clients'] }, a)],
  ['our audience beside another', (a) => withClaims({ aud: ['other', 'nexus-clients'] }, a)],
  ['no audience', (a) => withClaims({ aud: undefined }, a)],
  ['no end', (a) => withClaims({ exp: undefined }, a)],
  ['an end in text', (a) => withClaims({ exp: String(a.claims.exp) }, a)],
  ['an end in the past', (a) => withClaims({ iat: a.claims.iat - 100, exp: a.claims.iat - 10 }, a)],
  ['an end beyond an hour', (a) => withClaims({ exp: a.claims.iat + 3_601 }, a)],
  ['an end in ten years', (a) => withClaims({ exp: a.claims.iat + 315_360_000 }, a)],
  ['an end of 1e308', (a) => withClaims({ exp: 1e308 }, a)],
  ['an end in milliseconds', (a) => withClaims({ exp: a.claims.exp * 1_000 }, a)],
  ['an end with a fraction', (a) => withClaims({ exp: a.claims.exp - 0.5 }, a)],
  ['an end that is null', (a) => withClaims({ exp: null }, a)],
  ['no beginning', (a) => withClaims({ iat: undefined }, a)],
  ['a beginning in the future', (a) => withClaims({ iat: a.claims.iat + 600, exp: a.claims.iat + 700 }, a)],
  ['a beginning long ago', (a) => withClaims({ iat: a.claims.iat - 4_000, exp: a.claims.iat + 600 }, a)],
  ['a beginning in text', (a) => withClaims({ iat: String(a.claims.iat) }, a)],
  ['not before the future', (a) => withClaims({ nbf: a.claims.iat + 600 }, a)],
  ['a subject that is an object', (a) => withClaims({ sub: { id: a.claims.sub } }, a)],
  ['a subject that is a list', (a) => withClaims({ sub: [a.claims.sub] }, a)],
  ['a subject that is a number', (a) => withClaims({ sub: 1 }, a)],
  ['a subject that is true', (a) => withClaims({ sub: true }, a)],
  ['an empty subject', (a) => withClaims({ sub: '' }, a)],
  ['a subject of 1,000 characters', (a) => withClaims({ sub: 'u'.repeat(1_000) }, a)],
  ['a subject with a NUL', (a) => withClaims({ sub: `${a.claims.sub}\0` }, a)],
  ['a subject with a lone surrogate', (a) => withClaims({ sub: `${a.claims.sub}\uD800` }, a)],
  ['no subject', (a) => withClaims({ sub: undefined }, a)],
  ['no token id', (a) => withClaims({ jti: undefined }, a)],
  ['a token id that is a number', (a) => withClaims({ jti: 1 }, a)],
  ['no session', (a) => withClaims({ sid: undefined }, a)],
  ['a session that is null', (a) => withClaims({ sid: null }, a)],
  ['the session of another user', (a) => withClaims({ sid: a.victim.sid }, a)],
  ['another user, with the session of the attacker', (a) => withClaims({ sub: a.victim.sub }, a)],
  ['the session of nobody', (a) => withClaims({ sid: 'sess_01h00000000000000000000000' }, a)],
  ['a session that is no id', (a) => withClaims({ sid: randomUUID() }, a)],
  ['a session with a NUL', (a) => withClaims({ sid: `${a.claims.sid}\0` }, a)],
  ['a session with a lone surrogate', (a) => withClaims({ sid: '\uDC00' }, a)],
  ['a session as SQL', (a) => withClaims({ sid: `${a.claims.sid}' or 'a'='a` }, a)],
  ['an unknown role', (a) => withClaims({ roles: ['ROOT'] }, a)],
  ['a role in text', (a) => withClaims({ roles: 'VIEWER' }, a)],
  ['roles that are an object', (a) => withClaims({ roles: { 0: 'VIEWER', length: 1 } }, a)],
  ['scopes in a list', (a) => withClaims({ scope: ['tasks:read'] }, a)],
  ['an unknown scope', (a) => withClaims({ scope: 'tasks:read *' }, a)],
  ['no scope', (a) => withClaims({ scope: undefined }, a)],
  ['a time of the log-in in text', (a) => withClaims({ auth_time: 'now' }, a)],
  ['no time of the log-in', (a) => withClaims({ auth_time: undefined }, a)],
  ['a claim that we never issue', (a) => withClaims({ admin: true }, a)],
  ['the subject twice', (a) => withText((text) => text.replace('"sub"', `"sub":"${a.victim.sub}","sub"`), a)],
  ['the roles twice', (a) => withText((text) => text.replace('"roles"', '"roles":["ADMIN"],"roles"'), a)],
  ['the end twice', (a) => withText((text) => text.replace('"exp"', '"exp":1,"exp"'), a)],
  ['a __proto__ with roles', (a) => withText((text) => text.replace('{', '{"__proto__":{"roles":["ADMIN"]},'), a)],
  ['a constructor with a prototype', (a) => withClaims({ constructor: { prototype: { roles: ['ADMIN'] } } }, a)],
  ['claims with white space', (a) => withText((text) => text.replaceAll(':', ': '), a)],
  ['claims with a line end', (a) => withText((text) => `${text}\n`, a)],
  ['claims with a NUL behind', (a) => withText((text) => `${text}\0`, a)],
  ['claims with an escaped letter', (a) => withText((text) => text.replace('"sub"', String.raw`"s\u0075b"`), a)],
  ['claims behind a byte order mark', (a) => withText((text) => `\uFEFF${text}`, a)],
  ['claims with another object behind', (a) => withText((text) => `${text}{}`, a)],
  [
    'claims in another order',
    (a) => withText((text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())), a),
  ],
  ['claims in a list', (a) => forgeToken(a.header, [a.claims], a.ours.privateKey)],
  ['claims that are null', (a) => forgeToken(a.header, 'null', a.ours.privateKey)],
  ['claims that are text', (a) => forgeToken(a.header, '"claims"', a.ours.privateKey)],
  ['claims that are nothing', (a) => forgeToken(a.header, '', a.ours.privateKey)],
  [
    'claims nested a thousand deep',
    (a) => withText((text) => text.replace('{', `{"x":${'['.repeat(1_000)}${']'.repeat(1_000)},`), a),
  ],

  // The envelope.
  ['a good token with = behind', ({ token }) => `${token}=`],
  ['a good token with == behind', ({ token }) => `${token}==`],
  ['a good token with a dot behind', ({ token }) => `${token}.`],
  ['a good token with a dot before', ({ token }) => `.${token}`],
  ['a good token with an encoded line end behind', ({ token }) => `${token}%0A`],
  ['a good token with a word behind', ({ token }) => `${token} x`],
  ['a good token with a comma and another one', ({ token }) => `${token},${token}`],
  ['a good token twice', ({ token }) => `${token}${token}`],
  ['a good token in quotes', ({ token }) => `"${token}"`],
  ['a good token in base64 with +', ({ parts: [header, claims] }) => `${header}.${claims}.${'+/'.repeat(43)}`],
  ['a padded header', ({ parts: [header, claims, signature] }) => `${header}=.${claims}.${signature}`],
  ['padded claims', ({ parts: [header, claims, signature] }) => `${header}.${claims}=.${signature}`],
  ['spare bits in the signature', ({ token }) => token.slice(0, -1) + nextInBase64(token.at(-1) ?? '')],
  ['a cut signature', ({ token }) => token.slice(0, -1)],
  ['a longer signature', ({ token }) => `${token}A`],
  ['no signature', ({ parts: [header, claims] }) => `${header}.${claims}.`],
  ['two parts', ({ parts: [header, claims] }) => `${header}.${claims}`],
  ['one part', ({ parts: [header] }) => header],
  ['two dots', () => '..'],
  ['an empty header', ({ parts: [, claims, signature] }) => `.${claims}.${signature}`],
  ['empty claims', ({ parts: [header, , signature] }) => `${header}..${signature}`],
  [
    'the signature of another token',
    ({ parts: [header, claims] }) => `${header}.${claims}.${app.admin.accessToken.split('.')[2]}`,
  ],
  [
    'the claims of another token',
    ({ parts: [header, , signature] }) => `${header}.${app.admin.accessToken.split('.')[1]}.${signature}`,
  ],
  [
    'a signature with the order of the group added',
    ({ parts: [header, claims, signature] }) => `${header}.${claims}.${malleate(signature)}`,
  ],
  [
    'an encrypted token, of five parts',
    (a) =>
      new CompactEncrypt(Buffer.from(JSON.stringify(a.claims)))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'at+jwt', kid: a.ours.kid })
        .encrypt(createPublicKey(rsa.privateKey)),
  ],
  [
    'a token in the JSON serialisation',
    ({ parts: [header, claims, signature] }) => JSON.stringify({ payload: claims, protected: header, signature }),
  ],
  [
    'a token in the JSON serialisation, encoded',
    ({ parts: [header, claims, signature] }) =>
      encodePart({ payload: claims, signatures: [{ protected: header, signature }] }),
  ],
  ['a good token inside a token', (a) => forgeToken({ ...a.header, cty: 'JWT' }, a.token, a.ours.privateKey)],
  ['4,097 characters', (a) => withClaims({ jti: 'j'.repeat(3_000) }, a).padEnd(4_097, 'A')],
  ['15,000 characters', (a) => withClaims({ padding: 'x'.repeat(10_500) }, a)],
  ['the word null', () => 'null'],
  ['the word undefined', () => 'undefined'],
];

/** The next character of base64url, which differs in a bit that an Ed25519 signature has to spare. */
function nextInBase64(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] ?? '';
}

/** S + L, which verifies where S is not checked to be below L (RFC 8032, 5.1.7). */
function malleate(signature: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bytes = Buffer.from(signature, 'base64url');
  let sum = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order;
  for (let at = 32; at < 64; at++) {
    bytes[at] = Number(sum & 255n);
    sum >>= 8n;
  }
  return bytes.toString('base64url');
}

async function come(token: string) {
  const { status, text } = await app.request(query, {}, { bearer: token });
  return { status, text };
}

describe('a bad token is 401 with the same answer, byte by byte', () => {
  test('the controls: the token of the attacker works, and a forged one that says nothing wrong does', async () => {
    for (const token of [
      arsenal.token,
      withClaims({}, arsenal),
      withClaims({ jti: 'another' }, arsenal),
      app.admin.accessToken,
    ])
      expect((await come(token)).status).toBe(200);
    expect(withClaims({}, arsenal)).toBe(arsenal.token); // Ed25519 has one signature of a text.
  });

  test.each(attacks)('%s', async (_, makeToken) => {
    expect(await come(await makeToken(arsenal))).toEqual({ status: 401, text: refusal });
  });

  test('the list is as long as it should be, and names each attack once', () => {
    expect(new Set(attacks.map(([name]) => name)).size).toBe(attacks.length);
    expect(attacks.length).toBeGreaterThanOrEqual(150);
  });
});

test('roles and scopes beyond those of the user give none of them', async () => {
  const token = withClaims({ roles: ['ADMIN', 'VIEWER'], scope: 'users:read users:write tasks:read' }, arsenal);
  const { data } = await app.request(query, {}, { bearer: token });
  expect(data.me).toEqual({ kind: 'ACCESS_TOKEN', roles: ['VIEWER'], user: { id: arsenal.claims.sub } });
  expect(
    (await app.request('{ users { edges { node { id } } } }', {}, { bearer: token })).errors?.[0]?.extensions.code,
  ).toBe('FORBIDDEN');
});

test('a token that fits into no header is refused before anybody reads it', async () => {
  const { status, text } = await come(withClaims({ padding: 'x'.repeat(1_000_000) }, arsenal));
  expect(status).toBe(431);
  expect(text).not.toContain('"data"');
  expect((await come(arsenal.token)).status).toBe(200);
});

test('after all of it nobody was asked for a key, and the app still serves', async () => {
  expect(canaryConnections).toBe(0);
  await fetch(arsenal.canary);
  expect(canaryConnections).toBe(1); // It would have counted.
  expect((await come(arsenal.token)).status).toBe(200);
});
