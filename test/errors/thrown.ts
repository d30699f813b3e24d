import { readFile } from 'node:fs/promises';
import { sql } from 'drizzle-orm';
import { GraphQLError } from 'graphql';
import { Redis } from 'ioredis';
import { jwtVerify } from 'jose';
import postgres from 'postgres';
import { z } from 'zod';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { createDatabase, freshRedisUrl } from '../support/databases.ts';
import { startStallingProxy } from '../support/stallingProxy.ts';

/**
 * Something that was thrown, with the word `planted` wherever it may carry something out. Whether trying again later is
 * right, and whether it comes of a statement or a command, of which the log must not hold the text or the parameters.
 */
export type Thrown = { kind: string; value: unknown; isDependency?: boolean; isOfStatement?: boolean };

/** The real failures of what Nexus is built on, each provoked once, with secrets in them. */
export async function collectThrown(): Promise<Thrown[]> {
  const databases = await databaseFailures();
  const [first] = databases;
  return [...databases, ...(await redisFailures()), ...(await otherFailures()), ...wrapped(first?.value)];
}

async function databaseFailures(): Promise<Thrown[]> {
  const { url, drop } = await createDatabase();
  const database = await openDatabase({ databaseUrl: url, dataDirectory: '' });
  const raw = postgres(url, { max: 1 });
  try {
    await raw`create table things (name text unique, number int)`;
    await raw`insert into things values ('planted-parameter', 1)`;
    const drizzle = (statement: ReturnType<typeof sql>) => failureOf(() => database.db.execute(statement));
    return [
      {
        kind: 'drizzle: a statement that is wrong',
        isOfStatement: true,
        value: await drizzle(sql`select unknown_column /* planted */ from things where name = ${'planted-parameter'}`),
      },
      {
        kind: 'drizzle: a unique violation',
        isOfStatement: true,
        value: await drizzle(sql`insert into things values (${'planted-parameter'}, 2)`),
      },
      {
        kind: 'postgres.js: a unique violation',
        isOfStatement: true,
        value: await failureOf(() => raw`insert into things values ('planted-parameter', 3)`),
      },
      {
        kind: 'postgres.js: a value that does not fit',
        isOfStatement: true,
        value: await failureOf(() => raw`select 'planted-parameter'::text::int`),
      },
      {
        kind: 'drizzle: a statement that takes too long',
        isOfStatement: true,
        isDependency: true,
        value: await failureOf(() =>
          database.db.transaction(async (tx) => {
            await tx.execute(sql`set local statement_timeout = 50`);
            await tx.execute(sql`select pg_sleep(5), ${'planted-parameter'}::text as planted`);
          }),
        ),
      },
      {
        kind: 'postgres.js: nobody listens',
        isDependency: true,
        value: await failureOf(
          () => postgres('postgres://planted:planted@127.0.0.1:1/planted', { max: 1, connect_timeout: 2 })`select 1`,
        ),
      },
      {
        kind: 'our pool: nobody listens',
        isDependency: true,
        value: await failureOf(() =>
          openDatabase({ databaseUrl: 'postgres://planted:planted@127.0.0.1:1/planted', dataDirectory: '' }),
        ),
      },
    ];
  } finally {
    await raw.end();
    await database.close();
    await drop();
  }
}

async function redisFailures(): Promise<Thrown[]> {
  const proxy = await startStallingProxy(await freshRedisUrl(), 6379);
  const redis = await openRedis(proxy.url, () => undefined);
  try {
    const reply = await failureOf(() => redis.call('PLANTED', 'planted-parameter'));
    const script = await failureOf(() =>
      redis.eval("return redis.error_reply('planted ' .. ARGV[1])", 0, 'planted-parameter'),
    );
    proxy.stall();
    const late = await failureOf(() => redis.get('planted-key'));
    const dead = new Redis('redis://:planted@127.0.0.1:1', { maxRetriesPerRequest: 0, retryStrategy: () => 10 });
    dead.on('error', () => undefined);
    const gone = await failureOf(() => dead.get('planted-key'));
    dead.disconnect();
    return [
      { kind: 'ioredis: an error reply', isOfStatement: true, value: reply },
      { kind: 'ioredis: an error of a script', isOfStatement: true, value: script },
      { kind: 'ioredis: a command that timed out', isDependency: true, value: late },
      { kind: 'ioredis: no more retries', isDependency: true, value: gone },
    ];
  } finally {
    redis.disconnect();
    await proxy.close();
  }
}

async function otherFailures(): Promise<Thrown[]> {
  return [
    { kind: 'a TypeError', value: await failureOf(async () => JSON.parse('null').planted) },
    { kind: 'a RangeError', value: await failureOf(async () => new Array(-1).fill('planted')) },
    { kind: 'a SyntaxError of JSON', value: await failureOf(async () => JSON.parse('{"planted": planted}')) },
    {
      kind: 'a ZodError',
      value: await failureOf(async () => z.strictObject({ name: z.literal('planted') }).parse({ planted: 'planted' })),
    },
    { kind: 'a JoseError', value: await failureOf(() => jwtVerify('planted.planted.planted', new Uint8Array(32))) },
    { kind: 'a file that is not there', value: await failureOf(() => readFile('/planted/directory/planted.pem')) },
    { kind: 'a URL that is none', value: await failureOf(async () => new URL('planted', 'planted')) },
    {
      kind: 'an error with the status and message of a web framework',
      value: Object.assign(new Error('planted'), {
        statusCode: 404,
        expose: true,
        headers: { 'x-planted': 'planted' },
      }),
    },
    { kind: 'a foreign GraphQLError', value: foreign('PLANTED') },
    { kind: 'a foreign GraphQLError without a code', value: foreign(undefined) },
    ...['BAD_USER_INPUT', 'BAD_REQUEST', 'INTERNAL_SERVER_ERROR', 'FORBIDDEN'].map((code) => ({
      kind: `a foreign GraphQLError that says ${code}`,
      value: foreign(code),
    })),
    { kind: 'a text', value: 'planted' },
    { kind: 'undefined', value: undefined },
    { kind: 'null', value: null },
    { kind: 'a symbol', value: Symbol('planted') },
    {
      kind: 'an object',
      value: { message: 'planted', stack: 'planted', extensions: { code: 'PLANTED', planted: true } },
    },
    {
      kind: 'an AggregateError',
      value: new AggregateError([new Error('planted 1'), new TypeError('planted 2')], 'planted'),
    },
  ];
}

function wrapped(statementError: unknown): Thrown[] {
  const copied = statementError instanceof Error ? statementError.message : 'planted';
  return [
    {
      kind: 'a chain of causes down to a statement',
      isOfStatement: true,
      value: new Error(copied, { cause: new TypeError(copied, { cause: statementError }) }),
    },
    {
      kind: 'an AggregateError with a statement',
      isOfStatement: true,
      value: new AggregateError([new Error(copied), statementError], copied),
    },
    {
      kind: 'a GraphQLError around a statement',
      isOfStatement: true,
      value: new GraphQLError(copied, { originalError: statementError instanceof Error ? statementError : null }),
    },
  ];
}

function foreign(code: string | undefined): GraphQLError {
  return new GraphQLError('planted', {
    extensions: {
      ...(code && { code }),
      planted: 'planted',
      stacktrace: ['planted'],
      http: { status: 418, headers: new Map([['x-planted', 'planted']]) },
    },
  });
}

async function failureOf(work: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('It was expected to fail.');
}
