import { createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://nexus:pw@db:5432/nexus',
  REDIS_URL: 'rediss://:pw@cache:6379/0',
  MASTER_KEY: `second:${'ab'.repeat(32)},first:${'CD'.repeat(32)}`,
};

const defaultTiers = {
  FREE: { perHour: 1_000, perMinute: 100 },
  STANDARD: { perHour: 10_000, perMinute: 500 },
  PREMIUM: { perHour: 100_000, perMinute: 2_000 },
  ENTERPRISE: { perHour: null, perMinute: 5_000 },
  ANONYMOUS: { perHour: null, perMinute: 300 },
};

function problems(environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(environment);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('The settings were accepted.');
}

test('without any variable everything runs in this process, on loopback', () => {
  expect(readConfig({})).toEqual({
    environment: 'development',
    isProduction: false,
    host: '127.0.0.1',
    port: 4000,
    databaseUrl: undefined,
    redisUrl: undefined,
    dataDirectory: '.nexus',
    bootstrapAdmin: undefined,
    masterKeys: undefined,
    jwtIssuer: 'nexus-api',
    jwtAudience: 'nexus-clients',
    oidc: undefined,
    trustedDocuments: undefined,
    tiers: defaultTiers,
    corsOrigins: ['https://studio.apollographql.com'],
    trustProxy: [],
    metricsToken: undefined,
    automaticBlocks: {
      strikes: { FAILED_AUTHENTICATION: 20, RATE_LIMIT_REFUSAL: 50, MALFORMED_REQUEST: 20 },
      windowSeconds: 300,
      seconds: 900,
      maxSeconds: 86_400,
    },
    tls: undefined,
    logLevel: 'info',
    auditLogFile: '.nexus/logs/audit.log',
    secureCookies: false,
    sessionCookieName: 'nexus.sid',
  });
});

test('a variable that is empty counts as unset', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '', NODE_ENV: '' })).toEqual(readConfig({}));
});

test('every variable arrives', () => {
  const config = readConfig({
    ...production,
    HOST: '0.0.0.0',
    PORT: '0',
    NEXUS_DATA_DIR: '/data',
    BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
    BOOTSTRAP_ADMIN_PASSWORD: 'correct horse battery',
    JWT_ISSUER: 'issuer',
    JWT_AUDIENCE: 'audience',
    OIDC_ISSUER: 'https://login.example/realms/main',
    OIDC_AUDIENCE: 'https://nexus.example',
    OIDC_ROLE_CLAIM: 'realm_access.roles',
    TRUSTED_DOCUMENTS: '/data/manifest.json',
    TRUSTED_DOCUMENTS_MODE: 'enforce',
    TIERS: '{"ANONYMOUS":{"perMinute":7}}',
    CORS_ORIGINS: 'https://a.example, https://b.example:8443',
    TRUST_PROXY: '10.0.0.0/8, 2001:db8::/32, 192.0.2.1',
    METRICS_TOKEN: 'a-token-of-metrics',
    AUTO_BLOCK_FAILED_AUTHENTICATIONS: '1',
    AUTO_BLOCK_RATE_LIMIT_REFUSALS: '2',
    AUTO_BLOCK_MALFORMED_REQUESTS: '0',
    AUTO_BLOCK_WINDOW_SECONDS: '4',
    AUTO_BLOCK_SECONDS: '5',
    AUTO_BLOCK_MAX_SECONDS: '6',
    TLS_CERT_FILE: '/keys/cert.pem',
    TLS_KEY_FILE: '/keys/key.pem',
    LOG_LEVEL: 'silent',
    AUDIT_LOG_FILE: '/logs/nexus.log',
  });
  expect(config).toEqual({
    environment: 'production',
    isProduction: true,
    host: '0.0.0.0',
    port: 0,
    databaseUrl: production.DATABASE_URL,
    redisUrl: production.REDIS_URL,
    dataDirectory: '/data',
    bootstrapAdmin: { email: 'admin@example.com', password: 'correct horse battery' },
    masterKeys: [
      { kid: 'second', key: createSecretKey('ab'.repeat(32), 'hex') },
      { kid: 'first', key: createSecretKey('cd'.repeat(32), 'hex') },
    ],
    jwtIssuer: 'issuer',
    jwtAudience: 'audience',
    oidc: {
      issuer: 'https://login.example/realms/main',
      audience: 'https://nexus.example',
      roleClaim: 'realm_access.roles',
    },
    trustedDocuments: { file: '/data/manifest.json', mode: 'enforce' },
    tiers: { ...defaultTiers, ANONYMOUS: { perHour: null, perMinute: 7 } },
    corsOrigins: ['https://a.example', 'https://b.example:8443'],
    trustProxy: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],
    metricsToken: 'a-token-of-metrics',
    automaticBlocks: {
      strikes: { FAILED_AUTHENTICATION: 1, RATE_LIMIT_REFUSAL: 2, MALFORMED_REQUEST: 0 },
      windowSeconds: 4,
      seconds: 5,
      maxSeconds: 6,
    },
    tls: { certFile: '/keys/cert.pem', keyFile: '/keys/key.pem' },
    logLevel: 'silent',
    auditLogFile: '/logs/nexus.log',
    secureCookies: true,
    sessionCookieName: '__Host-nexus.sid',
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('no origin is allowed where none is named, outside development', () => {
  expect(readConfig(production).corsOrigins).toEqual([]);
  expect(readConfig({ NODE_ENV: 'test' }).corsOrigins).toEqual([]);
});

test('cookies are Secure with TLS and in production, and not otherwise', () => {
  expect(readConfig({ TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k' })).toMatchObject({
    secureCookies: true,
    sessionCookieName: '__Host-nexus.sid',
  });
  expect(readConfig(production).secureCookies).toBe(true);
  expect(readConfig({ NODE_ENV: 'test' }).secureCookies).toBe(false);
});

test('production is refused without what it needs, all of it named at once', () => {
  const message = problems({ NODE_ENV: 'production' });
  expect(message).toContain('DATABASE_URL: needed in production, where the embedded database is refused');
  expect(message).toContain('REDIS_URL: needed in production');
  expect(message).toContain('MASTER_KEY: needed in production');
});

test('every mistake is told at once, and no value is printed', () => {
  const wrong = {
    NODE_ENV: 'staging-hunter2',
    PORT: 'hunter2',
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    REDIS_URL: 'hunter2',
    BOOTSTRAP_ADMIN_EMAIL: 'hunter2',
    BOOTSTRAP_ADMIN_PASSWORD: 'hunter2',
    MASTER_KEY: 'hunter2',
    TRUSTED_DOCUMENTS_MODE: 'hunter2',
    TIERS: 'hunter2',
    METRICS_TOKEN: 'hunter2',
    CORS_ORIGINS: 'https://hunter2.example/path',
    TRUST_PROXY: 'hunter2',
    LOG_LEVEL: 'hunter2',
    OIDC_ISSUER: 'https://hunter2.example/?hunter2',
    OIDC_AUDIENCE: 'hunter2',
    TLS_CERT_FILE: 'hunter2',
  };
  const message = problems(wrong);
  for (const name of [
    ...Object.keys(wrong).filter((name) => !['TLS_CERT_FILE', 'OIDC_AUDIENCE'].includes(name)),
    'TLS_KEY_FILE',
  ]) {
    expect(message).toContain(`${name}:`);
  }
  expect(message).not.toContain('hunter2');
});

test('a master key without a name is the default one', () => {
  const { masterKeys } = readConfig({ MASTER_KEY: 'ab'.repeat(32) });
  expect(masterKeys).toEqual([{ kid: 'default', key: createSecretKey('ab'.repeat(32), 'hex') }]);
});

test('every wrong master key is told by its place, and none is printed', () => {
  const hex = 'c0ffee'.repeat(10).slice(0, 60);
  const wrong = [`a:${hex}`, `b:${hex}abcde`, `c:${hex}zzzz`, `:${hex}abcd`, `d e:${hex}abcd`, '', `f:${hex}abcd:`];
  const message = problems({ MASTER_KEY: [`g:${hex}abcd`, ...wrong, ` g:${hex}0000 `].join(',') });
  const lines = message.split('\n').slice(1);
  expect(lines).toEqual([
    ...wrong.map((_, index) => `  MASTER_KEY: key ${index + 2} is not a name, a colon and 64 hex digits`),
    '  MASTER_KEY: key 9 has the name of another one',
  ]);
  expect(message).not.toContain('c0ffee');
});

test('settings that are printed do not tell the master key', () => {
  const config = readConfig(production);
  for (const text of [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config)])
    expect(text).not.toMatch(/abab|cdcd/i);
});

test.each([
  'redis://:a,b@cache:6379',
  'redis://a:6379,redis://b:6379',
  'redis://a:6379, b:6379',
  'redis://:p@a:1,redis://:p@b:1/0',
  'rediss://user:p,q@a,b',
])('%s are nodes of Redis', (nodes) => expect(readConfig({ REDIS_URL: nodes }).redisUrl).toBe(nodes));

test.each([
  'redis://a:6379,',
  'redis://:p@a,redis://:q@b',
  'redis://a,rediss://b',
  'redis://a,b/1',
  'http://a,b',
  'redis://a,http://b',
])('%s are no nodes of a cluster', (nodes) => expect(problems({ REDIS_URL: nodes })).toContain('nodes of a cluster'));

test.each([
  '*',
  'https://*.example.com',
  'https://a.example/',
  'a.example',
  'null',
  'ftp://a.example',
  'https://A.example',
])('the origin %s is not exact', (origin) => {
  expect(problems({ CORS_ORIGINS: `https://ok.example,${origin}` })).toContain('CORS_ORIGINS:');
});

test.each(['true', 'loopback', '10.0.0.0/33', '::/129', '0.0.0.0/0', '::/0', '10.0.0/8', '10.0.0.0/8/8', '1'])(
  'the proxy range %s is refused',
  (range) => {
    expect(problems({ TRUST_PROXY: `10.0.0.0/8,${range}` })).toContain('TRUST_PROXY:');
  },
);

test.each(['65536', '-1', '1.5', '0x50', '80a'])('the port %s is refused', (port) => {
  expect(problems({ PORT: port })).toContain('PORT: a port number');
});

test('the first admin needs an address and a password of 12 to 200 characters', () => {
  const email = 'admin@example.com';
  expect(problems({ BOOTSTRAP_ADMIN_EMAIL: email })).toContain('BOOTSTRAP_ADMIN_PASSWORD: needed together with');
  expect(problems({ BOOTSTRAP_ADMIN_PASSWORD: 'x'.repeat(12) })).toContain('BOOTSTRAP_ADMIN_EMAIL: needed together');
  for (const length of [11, 201]) {
    const message = problems({ BOOTSTRAP_ADMIN_EMAIL: email, BOOTSTRAP_ADMIN_PASSWORD: 'x'.repeat(length) });
    expect(message).toContain('BOOTSTRAP_ADMIN_PASSWORD: 12 to 200 characters');
  }
  for (const length of [12, 200]) {
    const config = readConfig({ BOOTSTRAP_ADMIN_EMAIL: email, BOOTSTRAP_ADMIN_PASSWORD: 'x'.repeat(length) });
    expect(config.bootstrapAdmin?.email).toBe(email);
  }
});

describe('a foreign issuer', () => {
  const audience = { OIDC_AUDIENCE: 'nexus' };

  test.each([
    'https://login.example',
    'https://login.example/realms/a/',
    'http://127.0.0.1:8080',
    'http://[::1]/',
    'http://localhost',
  ])('%s is one', (issuer) => {
    expect(readConfig({ OIDC_ISSUER: issuer, ...audience }).oidc).toEqual({
      issuer,
      audience: 'nexus',
      roleClaim: 'roles',
    });
  });

  test.each([
    'http://login.example',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://192.0.2.1',
    'https://login.example?a=b',
    'https://login.example/#',
    'https://user:password@login.example',
    ' https://login.example',
    'file:///etc/issuer',
    'login.example',
  ])('%s is none', (issuer) => {
    expect(problems({ OIDC_ISSUER: issuer, ...audience })).toContain('OIDC_ISSUER: the URL of an issuer');
  });

  test('is https in production', () => {
    const message = problems({ ...production, OIDC_ISSUER: 'http://127.0.0.1:8080', ...audience });
    expect(message).toContain('OIDC_ISSUER: https in production');
    expect(readConfig({ ...production, OIDC_ISSUER: 'https://login.example', ...audience }).oidc).toBeDefined();
  });

  test('needs an audience, and what belongs to it needs an issuer', () => {
    expect(problems({ OIDC_ISSUER: 'https://login.example' })).toContain(
      'OIDC_AUDIENCE: needed together with OIDC_ISSUER',
    );
    expect(problems(audience)).toContain('OIDC_ISSUER: needed together with OIDC_AUDIENCE');
    expect(problems({ OIDC_ROLE_CLAIM: 'groups' })).toContain('OIDC_ISSUER: needed together with OIDC_ROLE_CLAIM');
  });

  test('is not ourselves', () => {
    const issuer = 'https://nexus.example';
    expect(problems({ JWT_ISSUER: issuer, OIDC_ISSUER: issuer, ...audience })).toContain(
      'OIDC_ISSUER: the same as JWT_ISSUER',
    );
  });
});

test.each([
  'short',
  'x'.repeat(15),
  'x'.repeat(513),
  'with a space in it all',
  'umlauts-are-no-tökens',
  `${'x'.repeat(20)}\n`,
])('the token of metrics %j is refused', (token) => {
  expect(problems({ METRICS_TOKEN: token })).toContain('METRICS_TOKEN: at least 16');
});

test('trusted documents are logged where nothing else is said, and their mode goes together with their file', () => {
  expect(readConfig({ TRUSTED_DOCUMENTS: 'm.json' }).trustedDocuments).toEqual({ file: 'm.json', mode: 'log' });
  expect(problems({ TRUSTED_DOCUMENTS_MODE: 'enforce' })).toContain(
    'TRUSTED_DOCUMENTS: needed together with TRUSTED_DOCUMENTS_MODE',
  );
});

describe('the tier table', () => {
  test('is changed in single limits of single tiers, and the rest stays', () => {
    const { tiers } = readConfig({
      TIERS:
        '{"FREE":{"perMinute":50},"PREMIUM":{"perHour":null},"ENTERPRISE":{"perHour":7,"perMinute":1},"STANDARD":{}}',
    });
    expect(tiers).toEqual({
      ...defaultTiers,
      FREE: { perHour: 1_000, perMinute: 50 },
      PREMIUM: { perHour: null, perMinute: 2_000 },
      ENTERPRISE: { perHour: 7, perMinute: 1 },
    });
  });

  test('names every mistake by its place, without the values', () => {
    const text = JSON.stringify({
      FREE: { perHour: 0, perMinute: -31_337 },
      STANDARD: { perHour: 31_337.5, perMinute: '31337' },
      PREMIUM: { perDay31337: 1 },
      ENTERPRISE: 31_337,
      ANONYMOUS: null,
      TIER31337: { perHour: 1 },
    });
    const lines = problems({ TIERS: text }).split('\n').slice(1);
    expect(lines.toSorted()).toEqual(
      [
        '  TIERS: FREE.perHour must be a whole number of 1 or more, or null',
        '  TIERS: FREE.perMinute must be a whole number of 1 or more, or null',
        '  TIERS: STANDARD.perHour must be a whole number of 1 or more, or null',
        '  TIERS: STANDARD.perMinute must be a whole number of 1 or more, or null',
        '  TIERS: PREMIUM must be an object of perHour and perMinute alone',
        '  TIERS: ENTERPRISE must be an object of perHour and perMinute alone',
        '  TIERS: ANONYMOUS must be an object of perHour and perMinute alone',
        '  TIERS: an unknown tier; there are FREE, STANDARD, PREMIUM, ENTERPRISE, ANONYMOUS',
      ].toSorted(),
    );
  });

  test.each(['{', '[]', 'null', '1', '"FREE"', 'undefined'])('is not %s', (text) => {
    expect(problems({ TIERS: text })).toContain('TIERS: JSON such as');
  });

  test.each(['{"__proto__":{"perHour":1}}', '{"constructor":{}}', '{"free":{}}'])('has no tier of %s', (text) => {
    expect(problems({ TIERS: text })).toContain('TIERS: an unknown tier');
  });

  test.each(['1e400', '9007199254740993', 'true', '[]'])('has no limit of %s', (limit) => {
    expect(problems({ TIERS: `{"FREE":{"perHour":${limit}}}` })).toContain(
      'TIERS: FREE.perHour must be a whole number',
    );
  });
});
