import { fstatSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printable, scanForApiKeys } from './apiKeys/scan.ts';
import type { LiftTarget } from './ipBlocks/repository.ts';
import { formatCidr, parseCidr } from './network/cidr.ts';

const accessLockFile = fileURLToPath(new URL('../access.lock', import.meta.url));

const blockIdShape = /^block_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

const usage = `Usage: node src/cli.ts <command>

  access                writes access.lock: who may do what, from the SDL
  access --check        fails where access.lock is not what the SDL says
  migrate               applies the migrations of drizzle/ to the database of the settings
  keys scan <path|->    finds API keys in a file, a directory or the standard input; ends with 1 where there are any
  keys rotate-signing   makes the next key of access tokens the one that signs, and a new next one
  keys rotate-signing --revoke
                        the same, and every access token that was issued before is refused
  credentials revoke-all
                        ends every session, every access token and every API key, in every running process
  unblock <cidr|address|block id>
                        ends the blocks that hold any of these addresses, or this block, in every running process
  unblock --all         ends every block of addresses
`;

// Each command loads what it needs: a scan of keys would otherwise wait two seconds for the whole app.
async function access(isCheck: boolean): Promise<void> {
  const { createSchema } = await import('./schema.ts');
  const { renderAccessLock } = await import('./policy/accessLock.ts');
  const { schema, policy } = createSchema();
  const text = renderAccessLock(schema, policy);
  if (!isCheck) await writeFile(accessLockFile, text);
  else if ((await readFile(accessLockFile, 'utf8')) !== text)
    throw new Error('access.lock is not what the SDL says: run `npm run access` and review the difference.');
}

async function migrate(): Promise<void> {
  const { migrateDatabase } = await import('./administration.ts');
  const { readConfig } = await import('./config.ts');
  await migrateDatabase(readConfig());
}

async function rotateSigningKeys(isRevoking: boolean): Promise<void> {
  const administration = await import('./administration.ts');
  const { readConfig } = await import('./config.ts');
  const { current, next } = await administration.rotateSigningKeys(readConfig(), { isRevoking });
  console.log(`current: ${current}\nnext:    ${next}`);
}

async function revokeAllCredentials(): Promise<void> {
  const administration = await import('./administration.ts');
  const { readConfig } = await import('./config.ts');
  const { sessions, apiKeys } = await administration.revokeAllCredentials(readConfig());
  console.log(`revoked: ${sessions} sessions, ${apiKeys} API keys`);
}

async function unblock(target: LiftTarget): Promise<void> {
  const administration = await import('./administration.ts');
  const { readConfig } = await import('./config.ts');
  const lifted = await administration.unblock(readConfig(), target);
  for (const { id, cidr, reason } of lifted) console.log(`${id} ${cidr}: ${printable(reason)}`);
  console.log(`unblocked: ${lifted.length}`);
}

/** Null where the text names no block and no addresses. */
function parseTarget(text: string): LiftTarget | null {
  if (blockIdShape.test(text)) return { id: text };
  const range = parseCidr(text);
  return range && { cidr: formatCidr(range) };
}

/** Prints each key that is found, by its start, and answers with the exit code: as of grep, a failure outweighs a find. */
async function scanKeys(input: string): Promise<number> {
  // Node reads nothing there and reports no error, which would pass for a clean scan.
  if (input === '-' && fstatSync(0).isDirectory())
    return refuse('The standard input is a directory: give its path instead of -.');
  let isFound = false;
  let isIncomplete = false;
  for await (const { file, ...result } of scanForApiKeys(input, process.stdin)) {
    if ('problem' in result) {
      console.error(`${printable(file)} could not be read: ${printable(result.problem)}.`);
      isIncomplete = true;
    } else {
      const { line, offset, start } = result.key;
      console.log(`${printable(file)}:${line}: ${start}… at byte ${offset}`);
      isFound = true;
    }
  }
  if (isIncomplete) return 2;
  return isFound ? 1 : 0;
}

function refuse(mistake: string): number {
  console.error(`${printable(mistake)}\n\n${usage}`);
  return 2;
}

/** drizzle writes the statement and its parameters into its message; what went wrong is in the cause. */
function messageOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return 'query' in error && error.cause instanceof Error ? error.cause.message : error.message;
}

function readArguments() {
  try {
    const options = { check: { type: 'boolean' }, revoke: { type: 'boolean' }, all: { type: 'boolean' } } as const;
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Does what the arguments say and answers with the exit code. */
async function run(): Promise<number> {
  const given = readArguments();
  if (typeof given === 'string') return refuse(given);
  const [command, verb, input, ...more] = given.positionals;
  const { check: isCheck = false, revoke: isRevoking = false, all: isAll = false } = given.values;
  if (isAll && command !== 'unblock') return refuse('--all is for `unblock`.');
  if (command === 'keys' && verb === 'rotate-signing') {
    if (input !== undefined || isCheck) return refuse('`keys rotate-signing` takes --revoke and nothing else.');
    await rotateSigningKeys(isRevoking);
    return 0;
  }
  if (isRevoking) return refuse('--revoke is for `keys rotate-signing`.');
  if (command === 'keys') {
    if (verb === 'scan' && input !== undefined && more.length === 0 && !isCheck) return scanKeys(input);
    return refuse('`keys scan` takes one path, or - for the standard input.');
  }
  if (command === 'credentials') {
    if (verb !== 'revoke-all' || input !== undefined || isCheck) return refuse('It is `credentials revoke-all`.');
    await revokeAllCredentials();
    return 0;
  }
  if (command === 'unblock') {
    const target = isAll ? 'ALL' : parseTarget(verb ?? '');
    if (!target || (isAll && verb !== undefined) || input !== undefined || isCheck)
      return refuse('`unblock` takes one CIDR range, address or block id, or --all.');
    await unblock(target);
    return 0;
  }
  if (command === 'access') await access(isCheck);
  else if (command === 'migrate') await migrate();
  else return refuse('There is no such command.');
  return 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
