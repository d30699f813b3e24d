import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServices } from '../support/startServices.ts';

/**
 * Breaks the enforcement of the policy in six ways, each in a copy of this tree, and expects the access matrices to turn
 * red for each of them, and to be green without. Exit code 1 where a mutation survives.
 */

type Change = { file: string; text: string; becomes: string };
type Mutation = { name: string; changes: readonly Change[] };
type Report = { numPassedTests: number; numFailedTests: number; testResults: { assertionResults: Result[] }[] };
type Result = { status: string; title: string };

const root = fileURLToPath(new URL('../../', import.meta.url));
const copied = ['src', 'schema', 'drizzle', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const tests = ['test/policy/accessMatrix.test.ts', 'test/policy/laboratoryMatrix.test.ts'];

const mutations: readonly Mutation[] = [
  { name: 'none', changes: [] },
  {
    name: 'wrapper dropped',
    changes: [
      {
        file: 'src/policy/enforce.ts',
        text: 'if (!field) return undefined;',
        becomes: 'return undefined;',
      },
      {
        file: 'src/policy/enforce.ts',
        text: '  checkEverythingIsWrapped(enforced, guards, wrapped);\n',
        becomes: '',
      },
    ],
  },
  {
    name: 'OR for AND',
    changes: [
      {
        file: 'src/policy/auth.ts',
        text: 'this.#byRole = and(...conditions, hasRole(authRule));',
        becomes: 'this.#byRole = or(...conditions, hasRole(authRule));',
      },
    ],
  },
  {
    name: 'interfaces skipped',
    changes: [
      {
        file: 'src/policy/compile.ts',
        text: 'const inherited = this.#interfacesOf(type).flatMap((one) => own.get(one.name) ?? []);',
        becomes: 'const inherited: AuthRule[] = [];',
      },
      {
        file: 'src/policy/compile.ts',
        text: '...inherited.flatMap(({ auth }) => auth), ',
        becomes: '',
      },
    ],
  },
  {
    name: 'subscribe unguarded',
    changes: [
      {
        file: 'src/policy/enforce.ts',
        text: 'const subscribe = config.subscribe && guardSubscribe(field, config.subscribe);',
        becomes: 'const subscribe = config.subscribe;',
      },
    ],
  },
  {
    name: 'owner ignored',
    changes: [
      {
        file: 'src/policy/auth.ts',
        text: 'const ownId = ownIdOf(caller);\n',
        becomes: 'const ownId = ownIdOf(caller);\n    return true;\n',
      },
    ],
  },
  {
    name: 'admission off',
    changes: [
      {
        file: 'src/policy/admission.ts',
        text: '    const { guarded, rootNodes } = fieldsOf(request);\n',
        becomes: '    return null;\n    const { guarded, rootNodes } = fieldsOf(request);\n',
      },
    ],
  },
];

async function drill(): Promise<boolean> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-mutations-'));
  const services = await startServices();
  try {
    for (const entry of copied) await cp(path.join(root, entry), path.join(directory, entry), { recursive: true });
    await symlink(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
    const environment = { TEST_DATABASE_URL: services.databaseUrl, TEST_REDIS_URL: services.redisUrl };
    let isAsExpected = true;
    console.info(line('mutation', 'result', 'failed', 'passed', 'first that failed'));
    for (const mutation of mutations) {
      const report = await runMutated(mutation, directory, environment);
      const { numFailedTests: failed, numPassedTests: passed } = report;
      const isRed = failed > 0;
      const isExpected = isRed === mutation.changes.length > 0 && passed + failed > 0;
      isAsExpected &&= isExpected;
      const result = isExpected ? (isRed ? 'red, as it must' : 'green, as it must') : isRed ? 'RED' : 'SURVIVES';
      console.info(line(mutation.name, result, String(failed), String(passed), firstFailed(report)));
    }
    return isAsExpected;
  } finally {
    await services.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function runMutated({ name, changes }: Mutation, directory: string, env: NodeJS.ProcessEnv): Promise<Report> {
  const originals = new Map<string, string>();
  try {
    for (const { file, text, becomes } of changes) {
      const target = path.join(directory, file);
      const source = await readFile(target, 'utf8');
      if (source.split(text).length !== 2) throw new Error(`"${name}": ${file} does not hold this text once: ${text}`);
      if (!originals.has(target)) originals.set(target, source);
      await writeFile(
        target,
        source.replace(text, () => becomes),
      );
    }
    return await runTests(directory, env);
  } finally {
    for (const [target, source] of originals) await writeFile(target, source);
  }
}

/** Ends with the first test that fails; a run that could not even load its tests has neither passed nor failed any. */
async function runTests(directory: string, env: NodeJS.ProcessEnv): Promise<Report> {
  const reportFile = path.join(directory, 'report.json');
  await rm(reportFile, { force: true });
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const options = ['--bail=1', '--reporter=json', `--outputFile=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', ...options, ...tests], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  await once(child, 'close');
  try {
    return JSON.parse(await readFile(reportFile, 'utf8'));
  } catch (cause) {
    throw new Error(`The tests did not run: ${complaints}`, { cause });
  }
}

function firstFailed({ testResults }: Report): string {
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.find(({ status }) => status === 'failed')?.title ?? '';
}

function line(name: string, result: string, failed: string, passed: string, first: string): string {
  return [name.padEnd(20), result.padEnd(18), failed.padStart(7), passed.padStart(7), ` ${first}`].join(' ');
}

if (!(await drill())) process.exitCode = 1;
