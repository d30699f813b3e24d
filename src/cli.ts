import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { migrateDatabase } from './app.ts';
import { readConfig } from './config.ts';
import { renderAccessLock } from './policy/accessLock.ts';
import { createSchema } from './schema.ts';

const accessLockFile = fileURLToPath(new URL('../access.lock', import.meta.url));

const usage = `Usage: node src/cli.ts <command>

  access           writes access.lock: who may do what, from the SDL
  access --check   fails where access.lock is not what the SDL says
  migrate          applies the migrations of drizzle/ to the database of the settings
`;

async function access(isCheck: boolean): Promise<void> {
  const { schema, policy } = createSchema();
  const text = renderAccessLock(schema, policy);
  if (!isCheck) await writeFile(accessLockFile, text);
  else if ((await readFile(accessLockFile, 'utf8')) !== text)
    throw new Error('access.lock is not what the SDL says: run `npm run access` and review the difference.');
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const [command] = positionals;
try {
  if (command === 'access') await access(values.check === true);
  else if (command === 'migrate') await migrateDatabase(readConfig());
  else {
    console.error(usage);
    process.exitCode = 2;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
