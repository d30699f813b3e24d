import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Holds a directory for this process until it is released. */
export type DirectoryLock = { release(): Promise<void> };

/** When this process started: a process id alone comes again, in a container as the same small number every time. */
const ownMark = `${process.pid} ${performance.timeOrigin}\n`;

/**
 * Makes this process the only one that uses `directory`, creating it where needed. Rejects with one sentence where a
 * living process holds it; what a dead one left behind is taken over.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const file = path.join(directory, 'lock');
  await mkdir(directory, { recursive: true });
  // The files of the engine are readable and writable for everybody: the directory keeps everybody else out.
  await chmod(directory, 0o700);
  if (!(await create(file))) {
    await removeStale(file);
    if (!(await create(file))) {
      throw inUse(file);
    }
  }
  return { release: () => rm(file, { force: true }) };
}

/** Written aside and linked, so that nobody reads a lock that has no owner yet. */
async function create(file: string): Promise<boolean> {
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, ownMark);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) {
      return false;
    }
    throw error;
  } finally {
    await rm(draft);
  }
}

/** Moves the file away before it looks again, because another process may be taking it over at the same time. */
async function removeStale(file: string): Promise<void> {
  const aside = `${file}.${process.pid}.stale`;
  try {
    await refuseWhereAlive(file, file);
    await rename(file, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      return;
    }
    throw error;
  }
  try {
    await refuseWhereAlive(aside, file);
  } catch (error) {
    await link(aside, file);
    throw error;
  } finally {
    await rm(aside);
  }
}

async function refuseWhereAlive(place: string, file: string): Promise<void> {
  const mark = await readFile(place, 'utf8');
  const pid = Number.parseInt(mark, 10);
  if (pid === process.pid ? mark === ownMark : isAlive(pid)) {
    throw inUse(file);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return isSystemError(error, 'EPERM');
  }
}

function inUse(file: string): Error {
  return new Error(
    `Another Nexus process uses this data directory; if none does, remove ${file} and start again, or set DATABASE_URL to run several.`,
  );
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
