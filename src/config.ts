import { isIP } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { isIssuerUrl } from './auth/issuerUrl.ts';
import { type NamedKey, parseMasterKeys } from './auth/masterKey.ts';

const defaultDataDirectory = '.nexus';
const logLevels = ['silent', 'error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;
/** Apollo's hosted Sandbox; the one we serve ourselves has our own origin. */
const sandboxOrigin = 'https://studio.apollographql.com';

/** Every setting, checked. Nothing else reads the environment. */
export type Config = {
  readonly environment: 'development' | 'production' | 'test';
  readonly isProduction: boolean;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Postgres; undefined: the embedded engine in `dataDirectory`. */
  readonly databaseUrl: string | undefined;
  /** Redis; undefined: in this process. */
  readonly redisUrl: string | undefined;
  readonly dataDirectory: string;
  readonly bootstrapAdmin: { readonly email: string; readonly password: string } | undefined;
  /** The first one encrypts, all decrypt; undefined: one is made in `dataDirectory`. */
  readonly masterKeys: readonly NamedKey[] | undefined;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** A foreign issuer whose access tokens are accepted too; undefined: none. */
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly roleClaim: string } | undefined;
  /** Origins as browsers write them (RFC 6454, 6.2). */
  readonly corsOrigins: readonly string[];
  /** CIDR ranges of the proxies whose X-Forwarded-For counts. */
  readonly trustProxy: readonly string[];
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
    .refine((text) => !isSeveralNodes(text), {
      error: 'one node: Redis Cluster, several comma-separated nodes, is not supported yet',
      abort: true,
    })
    .refine((text) => isUrlOf(text, 'redis:', 'rediss:'), { error: 'a URL, redis://… or rediss://…' })
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
    corsOrigins: from.CORS_ORIGINS ?? (from.NODE_ENV === 'development' ? [sandboxOrigin] : []),
    trustProxy: from.TRUST_PROXY,
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

/** A comma in the user's part, before the last @, belongs to a password. */
function isSeveralNodes(text: string): boolean {
  return text.slice(text.lastIndexOf('@') + 1).includes(',') || /,\s*rediss?:/.test(text);
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
