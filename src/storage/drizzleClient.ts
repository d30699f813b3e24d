import { makePgArray } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import type { Db } from './db.ts';
import type { Pool, Run } from './pool.ts';
import { type Transaction, transact } from './transaction.ts';

/** How a postgres.js client turns values to text and back, by type; drizzle writes its own into it. */
export type Codecs = Pick<Sql['options'], 'parsers' | 'serializers'>;

/**
 * Reads JSON once. drizzle reads a text that it is given again, which makes the string "1" a number, so a value that is
 * a string stays as it was sent, quotes included, for drizzle to read.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return typeof value === 'string' ? text : value;
}

/** drizzle over our pool, by way of the few calls of a postgres.js client that drizzle makes. */
export function drizzleOver(pool: Pool): { db: Db; codecs: Codecs } {
  const codecs: Codecs = { parsers: {}, serializers: {} };
  const client = {
    options: codecs,
    unsafe: unsafeOver((text, params, asArrays) => pool.use((connection) => connection.run(text, params, asArrays))),
    begin: <T>(work: (client: unknown) => Promise<T>) =>
      pool.use((connection) => transact(connection, (transaction) => work(clientOf(transaction)))),
  };
  // drizzle asks for a whole postgres.js client and uses these three members of it.
  return { db: drizzle({ client: client as unknown as Sql }), codecs };
}

function clientOf(transaction: Transaction) {
  const savepoint = <T>(work: (client: unknown) => Promise<T>) => transaction.savepoint(() => work(client));
  // drizzle's migrator begins a transaction even inside one.
  const client = { unsafe: unsafeOver(transaction.run), savepoint, begin: savepoint };
  return client;
}

function unsafeOver(run: Run) {
  return (text: string, params: unknown[] = []) => {
    let asArrays = false;
    const answer = Promise.resolve().then(() => run(text, params.map(arrayAsText), asArrays));
    const values = () => {
      asArrays = true;
      return answer;
    };
    return Object.assign(answer, { values });
  };
}

/** As drizzle does it for array columns, so that neither driver has to guess the type of an array in raw SQL. */
function arrayAsText(param: unknown): unknown {
  return Array.isArray(param) ? makePgArray(param) : param;
}
