import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { type AppOptions, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createDatabase, freshRedisUrl } from './databases.ts';
import { type Answer, type Credential, send } from './send.ts';
import { unlimitedTiers } from './tiers.ts';

export { type Answer, type Credential, send };

export type Person = { id: string; email: string; password: string; cookie: string; accessToken: string };

export type TestApp = {
  url: string;
  databaseUrl: string;
  redisUrl: string;
  /** Reads and breaks the database behind the app's back. */
  sql: postgres.Sql;
  admin: Person;
  /** Every SQL statement that the app has run since the list was last emptied. */
  statements: string[];
  /** Where the app writes its log. */
  logFile: string;
  request(
    query: string,
    variables?: object,
    credential?: Credential,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** The data of an answer without errors. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  succeed(query: string, variables?: object, credential?: Credential): Promise<any>;
  createPerson(...roles: string[]): Promise<Person>;
  createKey(input: object, credential?: Credential): Promise<{ id: string; secret: string }>;
  /** A second process's worth of app on the same Postgres and Redis. */
  startAnother(options?: StartOptions): Promise<{ url: string; stop(): Promise<void> }>;
  stop(): Promise<void>;
};

export type StartOptions = AppOptions & { env?: Record<string, string> };

let persons = 0;

/** The real app, listening, on a Postgres database and a Redis database of its own. */
export async function startApp({ env, ...options }: StartOptions = {}): Promise<TestApp> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-app-'));
  const [database, redisUrl] = await Promise.all([createDatabase(), freshRedisUrl()]);
  const statements: string[] = [];
  const bootstrap = { email: 'admin@example.com', password: 'the first admin of a test' };
  const logFile = join(directory, 'audit.log');
  const config = (dataDirectory: string, changes: Record<string, string> = {}) =>
    readConfig({
      NODE_ENV: 'test',
      PORT: '0',
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      NEXUS_DATA_DIR: dataDirectory,
      AUDIT_LOG_FILE: logFile,
      LOG_LEVEL: 'info',
      TIERS: unlimitedTiers,
      BOOTSTRAP_ADMIN_EMAIL: bootstrap.email,
      BOOTSTRAP_ADMIN_PASSWORD: bootstrap.password,
      ...env,
      ...changes,
    });
  const app = await createApp(config(directory), {
    onStatement: (sql) => statements.push(sql),
    shedAfterMs: Number.POSITIVE_INFINITY, // Tests share two cores with each other.
    ...options,
  });
  const url = await app.http.listen();
  const sql = postgres(database.url, { max: 2, onnotice: () => undefined });

  const request: TestApp['request'] = (...args) => send(url, ...args);
  const succeed: TestApp['succeed'] = async (...args) => {
    const { data, errors, text } = await request(...args);
    if (errors) throw new Error(`The request failed: ${text}`);
    return data;
  };
  const admin = await logIn(request, bootstrap);
  const asAdmin = { bearer: admin.accessToken };

  return {
    url,
    databaseUrl: database.url,
    redisUrl,
    sql,
    admin,
    statements,
    logFile,
    request,
    succeed,
    async createPerson(...roles) {
      persons += 1;
      const input = { email: `person${persons}@example.com`, password: `the password of person ${persons}`, roles };
      await succeed(
        'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
        { input },
        asAdmin,
      );
      return logIn(request, input);
    },
    async createKey(input, credential = asAdmin) {
      const query = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }';
      const { createApiKey } = await succeed(query, { input: { name: 'test', ...input } }, credential);
      return { id: createApiKey.apiKey.id, secret: createApiKey.secret };
    },
    async startAnother({ env: changes, ...anotherOptions } = {}) {
      const another = await createApp(config(directory, changes), anotherOptions);
      return { url: await another.http.listen(), stop: () => another.close() };
    },
    async stop() {
      await app.close();
      await sql.end();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function logIn(request: TestApp['request'], { email, password }: { email: string; password: string }) {
  const { data, headers, text } = await request(
    `mutation($email: EmailAddress!, $password: String!) {
      login(email: $email, password: $password) { accessToken user { id } }
    }`,
    { email, password },
  );
  if (!data?.login) throw new Error(`The log-in failed: ${text}`);
  const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { id: data.login.user.id, email, password, cookie, accessToken: data.login.accessToken };
}
