import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { generousTiers } from './tiers.ts';

const startDeadlineMs = 60_000;
const endDeadlineMs = 20_000;

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** How a process ended, and everything it printed. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

/** A Nexus in a process of its own. */
export type NexusProcess = {
  url: string;
  /** What it has printed so far. */
  output(): string;
  /** Sends the signal where one is given, and answers once the process has ended; after 20 s it is killed. */
  end(signal?: NodeJS.Signals): Promise<Ending>;
};

/**
 * Starts `node src/main.ts` in the directory with these settings, and no others but generous tiers; answers when it
 * serves.
 */
export async function startNexus(directory: string, settings: Record<string, string> = {}): Promise<NexusProcess> {
  const started = run(mainFile, directory, settings);
  const url = await started.find(/Nexus serves (http\S+)\/graphql/);
  return { url, output: started.output, end: started.end };
}

/** Runs `node src/main.ts` where it is expected to end by itself. */
export function runNexus(directory: string, settings: Record<string, string> = {}): Promise<Ending> {
  return run(mainFile, directory, settings).end();
}

/** Starts a file of ours under node; `find` answers what the expression finds in the output once it is there. */
export function run(file: string, directory: string, settings: Record<string, string>, args: string[] = []) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, PORT: '0', TIERS: generousTiers, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  killWithUs(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code, signal, stdout, stderr }));
  const output = () => stdout + stderr;

  const find = (expression: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`Not ready in ${startDeadlineMs / 1000} s. Its output:\n${output()}`));
      }, startDeadlineMs);
      const look = () => {
        const [, found] = expression.exec(output()) ?? [];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      ended.then(() => {
        clearTimeout(timer);
        reject(new Error(`It ended instead. Its output:\n${output()}`));
      }, reject);
    });

  const end = async (signal?: NodeJS.Signals): Promise<Ending> => {
    if (signal) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), endDeadlineMs);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  };

  return { find, output, end };
}

/** A test that fails, or a worker that ends, leaves no process behind. */
function killWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
}
