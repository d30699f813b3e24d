import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeLiveSessions } from '../../src/auth/userSessions.ts';
import * as accounts from '../../src/sessions/accounts.ts';
import * as sessions from '../../src/sessions/repository.ts';
import type { Database, Db } from '../../src/storage/db.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import * as users from '../../src/users/repository.ts';
import { createDatabase } from '../support/databases.ts';

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const created = await createDatabase();
  drop = created.drop;
  database = await openDatabase({ databaseUrl: created.url, dataDirectory: '' });
  await migrate(database, { folder: 'drizzle' });
});

afterAll(async () => {
  await database.close();
  await drop();
});

const changes: [name: string, change: (db: Db, userId: string) => Promise<unknown>][] = [
  ['disabled', users.disable],
  ['given another password', (db, id) => users.replacePasswordHash(db, id, { from: 'old', to: 'new' })],
];

test.each(changes)('a user who is %s meanwhile gets no session that lasts', async (_name, change) => {
  const account = await newAccount();
  const held = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const loggingIn = database.db.transaction(async (tx) => {
    expect(await accounts.holdUser(tx, account)).toMatchObject({ id: account.id });
    const session = await sessions.create(tx, { userId: account.id, secretHash: 'x', ip: '::1', userAgent: null });
    held.resolve();
    await mayCommit.promise;
    return session;
  });
  await held.promise;
  const changing = database.db.transaction(async (tx) => {
    setTimeout(mayCommit.resolve, 100);
    await change(tx, account.id);
    return await revokeLiveSessions(tx, account.id, null);
  });
  const session = await loggingIn;
  expect(await changing).toEqual([session.id]);
});

test.each(changes)('a user who has been %s cannot be held', async (_name, change) => {
  const account = await newAccount();
  await change(database.db, account.id);
  expect(await accounts.holdUser(database.db, account)).toBeNull();
});

async function newAccount(): Promise<accounts.Account> {
  const email = `${crypto.randomUUID()}@example.com`;
  await users.create(database.db, { email, passwordHash: 'old', roles: ['VIEWER'], tier: 'STANDARD' });
  const account = await accounts.findByEmail(database.db, email);
  if (!account) throw new Error('The user is not there.');
  return account;
}
