import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RotatingFile } from '../../src/log/rotatingFile.ts';

const mebibyte = 1024 * 1024;
let directory: string;
let failures: unknown[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'nexus-log-'));
  failures = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function openFile(...names: string[]): RotatingFile {
  return new RotatingFile(path.join(directory, ...names), (error) => failures.push(error));
}

/** A mebibyte of lines that all say `mark`. */
function lines(mark: string): string {
  return `${mark.padEnd(1023, '.')}\n`.repeat(1024);
}

/** What the newest line on the disk says. */
async function lastMark(): Promise<number> {
  const handle = await open(path.join(directory, 'audit.log'));
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1024), 0, 1024, Math.max(0, size - 1024));
    return Number.parseInt(buffer.toString(), 10);
  } finally {
    await handle.close();
  }
}

test('lines are appended to a file that only we may read, in a directory made for it', async () => {
  const file = openFile('a', 'b', 'audit.log');
  file.write('one\n');
  file.write('two\n');
  await file.end();
  const again = openFile('a', 'b', 'audit.log');
  again.write('three\n');
  await again.end();
  const name = path.join(directory, 'a', 'b', 'audit.log');
  expect(await readFile(name, 'utf8')).toBe('one\ntwo\nthree\n');
  expect((await stat(name)).mode & 0o777).toBe(0o600);
});

test('a full file moves up, ten are kept, none is larger than 10 MiB, and no line of them is lost', async () => {
  const file = openFile('audit.log');
  for (let index = 0; index < 125; index++) {
    file.write(lines(`${index}`));
    // What waits is bounded, and this test writes faster than a disk may.
    if (index % 5 === 4) await vi.waitFor(async () => expect(await lastMark()).toBe(index), { timeout: 10_000 });
  }
  await file.end();
  const names = (await readdir(directory)).sort();
  expect(names).toEqual(['audit.log', ...Array.from({ length: 9 }, (_, index) => `audit${index + 1}.log`)]);
  const marks: number[] = [];
  for (const name of names.toReversed().toSorted((a, b) => Number(b.match(/\d+/) ?? 0) - Number(a.match(/\d+/) ?? 0))) {
    const text = await readFile(path.join(directory, name), 'utf8');
    expect(text.length).toBeLessThanOrEqual(10 * mebibyte);
    marks.push(...text.split('\n').flatMap((line) => (line ? [Number.parseInt(line, 10)] : [])));
  }
  expect(marks.at(-1)).toBe(124);
  expect(marks).toEqual(marks.toSorted((a, b) => a - b));
  const first = marks[0] ?? 0;
  expect(marks).toHaveLength((125 - first) * 1024);
  expect(failures).toEqual([]);
});

test('a file that cannot be written is told once, breaks nothing, and what waits is bounded', async () => {
  await writeFile(path.join(directory, 'taken'), '');
  const file = openFile('taken', 'audit.log');
  for (let index = 0; index < 20; index++) {
    file.write(lines('lost'));
    await sleep(1);
  }
  await file.end();
  expect(failures).toHaveLength(1);
});

test('a full disk is told once and breaks nothing', async () => {
  const failuresOfFull: unknown[] = [];
  const file = new RotatingFile('/dev/full', (error) => failuresOfFull.push(error));
  for (let index = 0; index < 5; index++) {
    file.write('x\n');
    await sleep(5);
  }
  await file.end();
  expect(failuresOfFull).toHaveLength(1);
  expect(failuresOfFull[0]).toMatchObject({ code: 'ENOSPC' });
});
