import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const installDeadlineMs = 5 * 60_000;

const services = {
  postgres: {
    programs: ['initdb', 'postgres'],
    debianPackage: 'postgresql',
    otherwise: 'install PostgreSQL (initdb, postgres) or set TEST_DATABASE_URL',
  },
  redis: {
    programs: ['redis-server'],
    debianPackage: 'redis-server',
    otherwise: 'install Redis (redis-server) or set TEST_REDIS_URL',
  },
};

/** A server the tests need. */
export type Service = keyof typeof services;

/** What decides where a server's programs come from. */
export interface Machine {
  /** Directories as in PATH. */
  path: string;
  /** Where Debian keeps `<version>/bin` of each PostgreSQL, off the PATH. */
  postgresVersions: string;
  uid: number;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  return {
    path: process.env.PATH ?? '',
    postgresVersions: '/usr/lib/postgresql',
    uid: process.getuid?.() ?? -1,
  };
}

/**
 * The directory that holds each service's programs. What is missing is installed where the caller is root and has
 * apt-get; anywhere else one sentence says what to install or which variable to set.
 */
export async function requireBinaries(needed: Service[], machine: Machine): Promise<Map<Service, string>> {
  const missing = needed.filter((service) => directoryOf(service, machine) === undefined);
  if (missing.length > 0) await install(missing, machine);
  return new Map(needed.map((service) => [service, directoryOf(service, machine) ?? refuse([service])]));
}

function directoryOf(service: Service, machine: Machine): string | undefined {
  const directories = [...machine.path.split(path.delimiter), ...newestPostgresFirst(machine.postgresVersions)];
  return directories.find((directory) => services[service].programs.every((name) => isProgram(directory, name)));
}

function newestPostgresFirst(versions: string): string[] {
  try {
    return readdirSync(versions)
      .sort((left, right) => Number(right) - Number(left))
      .map((version) => path.join(versions, version, 'bin'));
  } catch {
    // No such directory: no PostgreSQL in Debian's layout.
    return [];
  }
}

function isProgram(directory: string, name: string): boolean {
  try {
    accessSync(path.join(directory, name), constants.X_OK);
    return directory !== '';
  } catch {
    // Asking is the only portable way to find out.
    return false;
  }
}

function refuse(missing: Service[]): never {
  throw new Error(`The tests need real servers: ${missing.map((service) => services[service].otherwise).join('; ')}.`);
}

async function install(missing: Service[], machine: Machine): Promise<void> {
  const aptGet = machine.path.split(path.delimiter).some((directory) => isProgram(directory, 'apt-get'));
  if (machine.uid !== 0 || !aptGet) refuse(missing);
  const packages = missing.map((service) => services[service].debianPackage);
  console.log(`Installing ${packages.join(' and ')} by apt-get, for the tests alone: no system service is started.`);
  await withoutSystemServices(async () => {
    await aptGetRun(['update']);
    await aptGetRun(['install', '-y', '--no-install-recommends', ...packages]);
  });
}

/** Keeps the packages, while they are installed, from starting servers and from creating a cluster of their own. */
async function withoutSystemServices(work: () => Promise<void>): Promise<void> {
  const clusterSettings = '/etc/postgresql-common/createcluster.d';
  await mkdir(clusterSettings, { recursive: true });
  const created = [
    await createFile('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n'),
    await createFile(`${clusterSettings}/no-main-cluster.conf`, 'create_main_cluster = false\n'),
  ];
  try {
    await work();
  } finally {
    for (const file of created) if (file !== undefined) await rm(file, { force: true });
  }
}

/** The file where it is ours, undefined where one was there before. */
async function createFile(file: string, text: string): Promise<string | undefined> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o755 });
    return file;
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'EEXIST') return undefined;
    throw err;
  }
}

async function aptGetRun(args: string[]): Promise<void> {
  // Another test run may hold the lock for the same reason.
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await promisify(execFile)('apt-get', [...options, ...args], { env, timeout: installDeadlineMs });
  } catch (err) {
    const reason = err instanceof Error && 'stderr' in err ? String(err.stderr).trim().split('\n').at(-1) : String(err);
    throw new Error(`apt-get ${args.join(' ')} failed: ${reason}`, { cause: err });
  }
}
