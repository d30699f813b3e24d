import { isIP } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { isIssuerUrl } from './auth/issuerUrl.ts';
import { type NamedKey, parseMasterKeys } from './auth/masterKey.ts';
import type { AutomaticBlockSettings } from './ipBlocks/automatic.ts';
import { parseTierTable, type TierTable } from './limits/tierTable.ts';
import { parseRedisNodes } from './storage/redisNodes.ts';

const defaultDataDirectory = '.nexus';
const yearSeconds = 31_536_000;
const logLevels = ['silent', 'error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;
/** Apollo's hosted Sandbox; the one we serve ourselves has our own origin. */
const sandboxOrigin = 'https://studio.apollographql.com';

/** RFC 6750, 2.1, and long enough that nobody guesses it. */
const bearerToken = /^[A-Za-z0-9\-._~+/]{16,512}=*$/;

/** Every setting, checked. Nothing else reads the environment. */
export type Config = {
  readonly environment: 'development' | 'production' | 'test';
  readonly isProduction: boolean;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Postgres; undefined: the embedded engine in `dataDirectory`. */
  readonly databaseUrl: string | undefined;
  /** Redis, or nodes of a cluster, comma-separated; undefined: in this process. */
  readonly redisUrl: string | undefined;
  readonly dataDirectory: string;
  readonly bootstrapAdmin: { readonly email: string; readonly password: string } | undefined;
  /** The first one encrypts, all decrypt; undefined: one is made in `dataDirectory`. */
  readonly masterKeys: readonly NamedKey[] | undefined;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** A foreign issuer whose access tokens are accepted too; undefined: none. */
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly roleClaim: string } | undefined;
  /** The manifest of the documents that clients send, and what happens to others; undefined: any document will do. */
  readonly trustedDocuments: { readonly file: string; readonly mode: 'log' | 'enforce' } | undefined;
  readonly tiers: TierTable;
  /** Origins as browsers write them (RFC 6454, 6.2). */
  readonly corsOrigins: readonly string[];
  /** CIDR ranges of the proxies whose X-Forwarded-For counts. */
  readonly trustProxy: readonly string[];
  /** Guards `GET /metrics`; undefined: it is for loopback alone. */
  readonly metricsToken: string | undefined;
  /** When addresses are blocked without anybody's asking; 0 strikes: not because of these. */
  readonly automaticBlocks: AutomaticBlockSettings;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly logLevel: (typeof logLevels)[number];
  readonly auditLogFile: string;
  /** Whether browsers reach us over TLS, so that cookies may be Secure. */
  readonly secureCookies: boolean;
  readonly sessionCookieName: string;
};

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

function wholeNumber(min: number, max: number) {
  const error = `a whole number, ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .refine((number) => number >= min && number <= max, { error });
}

const settings = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'], { error: 'development, production or test' })
    .default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, { error: 'a port number, 0 to 65535', abort: true })
    .transform(Number)
    .refine((port) => port <= 65_535, { error: 'a port number, 0 to 65535' })
    .default(4000),
  DATABASE_URL: z
    .string()
    .refine((text) => isUrlOf(text, 'postgres:', 'postgresql:'), { error: 'a URL, postgres://…' })
    .optional(),
  REDIS_URL: z
    .string()
    .refine((text) => parseRedisNodes(text) !== null, {
      error:
        'a URL, redis://… or rediss://…, or those of several nodes of a cluster, comma-separated, with one password',
    })
    .optional(),
  NEXUS_DATA_DIR: z.string().default(defaultDataDirectory),
  BOOTSTRAP_ADMIN_EMAIL: z.email({ error: 'an e-mail address' }).optional(),
  BOOTSTRAP_ADMIN_PASSWORD: z
    .string()
    .refine((text) => text.length >= 12 && text.length <= 200, { error: '12 to 200 characters' })
    .optional(),
  MASTER_KEY: z
    .string()
    .transform((text, { addIssue }) => {
      const { keys, problems } = parseMasterKeys(text);
      for (const problem of problems) addIssue(problem);
      return keys;
    })
    .optional(),
  JWT_ISSUER: z.string().default('nexus-api'),
  JWT_AUDIENCE: z.string().default('nexus-clients'),
  OIDC_ISSUER: z
    .string()
    .refine(isIssuerUrl, {
      error: 'the URL of an issuer, https://… (http on loopback alone), without query or fragment',
    })
    .optional(),
  OIDC_AUDIENCE: z.string().optional(),
  OIDC_ROLE_CLAIM: z.string().default('roles'),
  TRUSTED_DOCUMENTS: z.string().optional(),
  TRUSTED_DOCUMENTS_MODE: z.enum(['log', 'enforce'], { error: 'log or enforce' }).default('log'),
  TIERS: z
    .string()
    .default('{}')
    .transform((text, { addIssue }) => {
      const { table, problems } = parseTierTable(text);
      for (const problem of problems) addIssue(problem);
      return table;
    }),
  CORS_ORIGINS: list
    .refine((origins) => origins.every(isExactOrigin), {
      error: 'exact origins such as https://console.example.com, comma-separated, without path or wildcard',
    })
    .optional(),
  TRUST_PROXY: list
    .refine((ranges) => ranges.every(isCidr), {
      error: 'CIDR ranges such as 10.0.0.0/8, comma-separated; /0 would believe everybody',
    })
    .default([]),
  METRICS_TOKEN: z
    .string()
    .regex(bearerToken, { error: 'at least 16 letters, digits and - . _ ~ + /, such as `openssl rand -hex 32` prints' })
    .optional(),
  AUTO_BLOCK_FAILED_AUTHENTICATIONS: wholeNumber(0, 1_000_000).default(20),
  AUTO_BLOCK_RATE_LIMIT_REFUSALS: wholeNumber(0, 1_000_000).default(50),
  AUTO_BLOCK_MALFORMED_REQUESTS: wholeNumber(0, 1_000_000).default(20),
  AUTO_BLOCK_WINDOW_SECONDS: wholeNumber(1, 86_400).default(300),
  AUTO_BLOCK_SECONDS: wholeNumber(1, yearSeconds).default(900),
  AUTO_BLOCK_MAX_SECONDS: wholeNumber(1, yearSeconds).default(86_400),
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  LOG_LEVEL: z.enum(logLevels, { error: logLevels.join(', ') }).default('info'),
  AUDIT_LOG_FILE: z.string().optional(),
});

type Settings = z.output<typeof settings>;

const pairs = [
  ['BOOTSTRAP_ADMIN_EMAIL', 'BOOTSTRAP_ADMIN_PASSWORD'],
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['OIDC_ISSUER', 'OIDC_AUDIENCE'],
] as const;

const neededInProduction = {
  DATABASE_URL: 'needed in production, where the embedded database is refused',
  REDIS_URL: 'needed in production, where counting in this process alone is refused',
  MASTER_KEY: 'needed in production, where a key made at start is refused',
};

/**
 * The settings of the environment; an empty variable counts as unset. Throws one Error that names every variable that
 * is wrong and says what it should be, and never what it was.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map(({ path: [name], message }) => `${String(name)}: ${message}`),
    ...missing(given),
    ...issuerProblems(given),
  ];
  if (!parsed.success || problems.length > 0) {
    throw new Error(`These settings are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  return Object.freeze(toConfig(parsed.data));
}

function missing(given: NodeJS.ProcessEnv): string[] {
  const incomplete = pairs.flatMap(([first, second]) => {
    if ((given[first] === undefined) === (given[second] === undefined)) return [];
    const [absent, present] = given[first] === undefined ? [first, second] : [second, first];
    return [`${absent}: needed together with ${present}`];
  });
  if (given.TRUSTED_DOCUMENTS === undefined && given.TRUSTED_DOCUMENTS_MODE !== undefined)
    incomplete.push('TRUSTED_DOCUMENTS: needed together with TRUSTED_DOCUMENTS_MODE');
  if (given.NODE_ENV !== 'production') return incomplete;
  const needed = Object.entries(neededInProduction)
    .filter(([name]) => given[name] === undefined)
    .map(([name, reason]) => `${name}: ${reason}`);
  return [...incomplete, ...needed];
}

function issuerProblems({ NODE_ENV, OIDC_ISSUER, OIDC_ROLE_CLAIM, JWT_ISSUER }: NodeJS.ProcessEnv): string[] {
  if (OIDC_ISSUER === undefined)
    return OIDC_ROLE_CLAIM === undefined ? [] : ['OIDC_ISSUER: needed together with OIDC_ROLE_CLAIM'];
  const isPlain = URL.canParse(OIDC_ISSUER) && new URL(OIDC_ISSUER).protocol === 'http:';
  return [
    ...(NODE_ENV === 'production' && isPlain ? ['OIDC_ISSUER: https in production'] : []),
    ...(OIDC_ISSUER === JWT_ISSUER ? ['OIDC_ISSUER: the same as JWT_ISSUER, which is what our own tokens say'] : []),
  ];
}

function toConfig(from: Settings): Config {
  const isProduction = from.NODE_ENV === 'production';
  const tls = both(from.TLS_CERT_FILE, from.TLS_KEY_FILE, (certFile, keyFile) => ({ certFile, keyFile }));
  const oidc = both(from.OIDC_ISSUER, from.OIDC_AUDIENCE, (issuer, audience) => ({
    issuer,
    audience,
    roleClaim: from.OIDC_ROLE_CLAIM,
  }));
  const secureCookies = isProduction || tls !== undefined;
  return {
    environment: from.NODE_ENV,
    isProduction,
    host: from.HOST,
    port: from.PORT,
    databaseUrl: from.DATABASE_URL,
    redisUrl: from.REDIS_URL,
    dataDirectory: from.NEXUS_DATA_DIR,
    bootstrapAdmin: both(from.BOOTSTRAP_ADMIN_EMAIL, from.BOOTSTRAP_ADMIN_PASSWORD, (email, password) => ({
      email,
      password,
    })),
    masterKeys: from.MASTER_KEY,
    jwtIssuer: from.JWT_ISSUER,
    jwtAudience: from.JWT_AUDIENCE,
    oidc,
    trustedDocuments:
      from.TRUSTED_DOCUMENTS === undefined
        ? undefined
        : { file: from.TRUSTED_DOCUMENTS, mode: from.TRUSTED_DOCUMENTS_MODE },
    tiers: from.TIERS,
    corsOrigins: from.CORS_ORIGINS ?? (from.NODE_ENV === 'development' ? [sandboxOrigin] : []),
    trustProxy: from.TRUST_PROXY,
    metricsToken: from.METRICS_TOKEN,
    automaticBlocks: {
      strikes: {
        FAILED_AUTHENTICATION: from.AUTO_BLOCK_FAILED_AUTHENTICATIONS,
        RATE_LIMIT_REFUSAL: from.AUTO_BLOCK_RATE_LIMIT_REFUSALS,
        MALFORMED_REQUEST: from.AUTO_BLOCK_MALFORMED_REQUESTS,
      },
      windowSeconds: from.AUTO_BLOCK_WINDOW_SECONDS,
      seconds: from.AUTO_BLOCK_SECONDS,
      maxSeconds: from.AUTO_BLOCK_MAX_SECONDS,
    },
    tls,
    logLevel: from.LOG_LEVEL,
    auditLogFile: from.AUDIT_LOG_FILE ?? path.join(from.NEXUS_DATA_DIR, 'logs', 'audit.log'),
    secureCookies,
    // Browsers take a __Host- cookie only with Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2).
    sessionCookieName: secureCookies ? '__Host-nexus.sid' : 'nexus.sid',
  };
}

function both<T>(first: string | undefined, second: string | undefined, build: (a: string, b: string) => T) {
  return first === undefined || second === undefined ? undefined : build(first, second);
}

function isUrlOf(text: string, ...protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function isExactOrigin(text: string): boolean {
  return isUrlOf(text, 'http:', 'https:') && new URL(text).origin === text && !text.includes('*');
}

function isCidr(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits);
}
