import { userInfo } from 'node:os';
import * as auditEvents from './audit/repository.ts';
import { loadMasterKey } from './auth/masterKeyFile.ts';
import { type Revoked, revokeAll } from './auth/revokeAll.ts';
import * as signingKeys from './auth/signingKeys.ts';
import type { Config } from './config.ts';
import * as ipBlocks from './ipBlocks/repository.ts';
import type { Database, Db } from './storage/db.ts';
import { hasCode } from './storage/failures.ts';
import { newId } from './storage/id.ts';
import { migrate, migrationsFolder } from './storage/migrate.ts';
import { openDatabase } from './storage/openDatabase.ts';

/** SQLSTATE undefined_function, undefined_table and undefined_column. */
const notMigratedCodes = ['42883', '42P01', '42703'];

/** Applies the migrations to the database of the settings, and nothing else. */
export function migrateDatabase(config: Config): Promise<void> {
  return withDatabase(config, (database) => migrate(database, { folder: migrationsFolder }));
}

/** Makes the next key of access tokens the current one, in the database of the settings; answers the names of both. */
export async function rotateSigningKeys(
  config: Config,
  options: { isRevoking: boolean },
): Promise<{ current: string; next: string }> {
  const masterKey = await loadMasterKey({
    masterKeys: config.masterKeys,
    directory: config.dataDirectory,
    allowGenerate: false,
  });
  return change(config, 'signingKey.rotate', async (tx) => {
    const keys = await signingKeys.rotate(tx, masterKey, options);
    return { result: keys, event: { detail: { ...keys, isRevoking: options.isRevoking } } };
  });
}

/** Revokes every session and every API key in the database of the settings; answers how many. */
export function revokeAllCredentials(config: Config): Promise<Revoked> {
  return change(config, 'credential.revokeAll', async (tx) => {
    const revoked = await revokeAll(tx);
    return { result: revoked, event: { detail: revoked } };
  });
}

/** Ends active blocks in the database of the settings, which running processes find out; answers those that it ended. */
export function unblock(config: Config, target: ipBlocks.LiftTarget): Promise<ipBlocks.IpBlockView[]> {
  return change(config, 'ipBlock.delete', async (tx) => {
    const lifted = (await ipBlocks.lift(tx, target, null)).map(({ block }) => block);
    const targets = lifted.map(({ id }) => ({ type: 'ipBlock', id }));
    return {
      result: lifted,
      event: { severity: 'WARNING', targets, detail: { cidrs: lifted.map(({ cidr }) => cidr) } },
    };
  });
}

type Event = Pick<auditEvents.NewAuditEvent, 'detail'> & Partial<auditEvents.NewAuditEvent>;
type Change<T> = (tx: Db) => Promise<{ result: T; event: Event }>;

/** One transaction with its audit row: whoever sits at the command line is known by the name of the system's user alone. */
function change<T>(config: Config, action: string, work: Change<T>): Promise<T> {
  return withDatabase(config, (database) =>
    database.exclusively(async (tx) => {
      const { result, event } = await work(tx);
      await auditEvents.append(tx, [
        {
          ...{ action, outcome: 'SUCCEEDED', severity: 'CRITICAL', actorKind: 'SYSTEM', actorId: userInfo().username },
          ...{ targets: [], ip: 'command line', requestId: newId('cli'), ...event },
        },
      ]);
      return result;
    }),
  );
}

async function withDatabase<T>(config: Config, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(config);
  try {
    return await work(database);
  } catch (error) {
    if (!notMigratedCodes.some((code) => hasCode(error, code))) throw error;
    throw new Error('The database has no tables of this version yet: run `node src/cli.ts migrate`.', { cause: error });
  } finally {
    await database.close();
  }
}
