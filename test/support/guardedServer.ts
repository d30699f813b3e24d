import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const startAttempts = 3;
const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;
const keptOutputCharacters = 4_000;

/**
 * Ties the server's life to ours: the pipe on its standard input closes when we ask for the end, and also when we are
 * killed without a chance to clean up. SIGINT is Postgres's fast shutdown and Redis's orderly one; it is repeated
 * because a shell that still prepares the server ignores it, and after five seconds nothing is asked any more.
 */
const guard = `
umask 077
exec 3<&0
/bin/sh -ec "$1" </dev/null 3<&- &
server=$!
exec >/dev/null 2>&1
{
  cat <&3
  tries=0
  while kill -INT $server; do
    sleep 0.2
    tries=$((tries + 1))
    [ $tries -lt 25 ] || kill -KILL $server
  done
} &
wait $server
cd / && rm -rf "$DIRECTORY"
`;

/** A server's name, and a shell script that prepares and then becomes it, given $BINARIES, $PORT and $PASSWORD. */
export interface ServerPlan {
  name: string;
  binaries: string;
  script: string;
  /** A free one where none is given. */
  port?: number;
}

/** A server of our own on 127.0.0.1. */
export interface GuardedServer {
  port: number;
  password: string;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
}

/**
 * Runs a server in a private temporary directory until `stop`, or until this process ends in whatever way. It has a
 * password, because whoever may command Postgres or Redis may run programs and write files as its user; and that user
 * has no rights where we are root.
 */
export async function startGuardedServer(plan: ServerPlan): Promise<GuardedServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(plan);
    } catch (err) {
      // Somebody else may have taken the port between our look and the server's.
      if (attempt === startAttempts) throw err;
    }
  }
}

async function startOnce(plan: ServerPlan): Promise<GuardedServer> {
  const port = plan.port ?? (await freePort());
  const password = randomBytes(16).toString('hex');
  const user = unprivilegedUser();
  const directory = mkdtempSync(path.join(tmpdir(), `nexus-${plan.name}-`));
  if (user) chownSync(directory, user.uid, user.gid);
  const child = spawn('/bin/sh', ['-c', guard, 'guard', plan.script], {
    ...user,
    cwd: directory,
    // A session of its own: Ctrl-C reaches us, and the server only through us.
    detached: true,
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      BINARIES: plan.binaries,
      DIRECTORY: directory,
      PASSWORD: password,
      PORT: String(port),
    },
  });
  const stop = () => stopServer(child);
  try {
    await untilReady(child, plan.name);
  } catch (err) {
    await stop();
    throw err;
  }
  return { port, password, stop };
}

/** Postgres and Redis announce themselves in the same words. */
async function untilReady(child: ChildProcess, name: string): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(deadline);
      reject(new Error(`${name} ${what}. Its last output:\n${output}`));
    };
    const deadline = setTimeout(() => fail(`was not ready in ${startDeadlineMs / 1000} s`), startDeadlineMs);
    // The pipes are read for as long as the server lives, or it would block on a full one.
    const read = (chunk: Buffer) => {
      output = (output + chunk).slice(-keptOutputCharacters);
      if (!/ready to accept connections/i.test(output)) return;
      clearTimeout(deadline);
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (err) => fail(`could not be started: ${err.message}`));
    child.once('exit', () => fail('ended before it was ready'));
  });
}

async function stopServer(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  child.stdin?.end();
  if (!hasEnded) await once(child, 'exit', { signal: AbortSignal.timeout(stopDeadlineMs) });
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** Postgres takes no port 0. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no TCP address.');
  return address.port;
}

/** Postgres refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [, uid, gid] =
      new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Postgres does not run as root, and there is no user "postgres" or "nobody" to run it as.');
}
