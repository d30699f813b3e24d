import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { apiKeyLength, apiKeyPrefix, isWellFormedApiKey, startOf } from './secret.ts';

const chunkBytes = 256 * 1024;
const newline = 0x0a;
const separator = Buffer.from(path.sep);
const standardInputName = '(standard input)';
const keyInText = /(nxk_(?:live|test)_\w{4})\w+/g;
const controlCharacters = /\p{Cc}/gu;

/** Where a key was found, and no more of it than its start. Offsets begin at 0, lines at 1. */
export type FoundKey = { offset: number; line: number; start: string };

/** What a scan reports: a key in a file, or why a file could not be read. */
export type ScanResult = { file: string } & ({ key: FoundKey } | { problem: string });

/**
 * The keys in a path, in all regular files below it where it is a directory, or in the standard input where it is `-`.
 * Below a directory, symbolic links are not followed and pipes, sockets and devices not opened. What cannot be read is
 * a result like any other, and the rest is still scanned.
 */
export async function* scanForApiKeys(input: string, standardInput: AsyncIterable<Buffer>): AsyncGenerator<ScanResult> {
  if (input === '-') yield* scanChunks(standardInputName, standardInput);
  else yield* scanPath(Buffer.from(input));
}

/** The keys in the chunks, wherever these are cut, in memory that grows with the longest chunk alone; chunks are copied. */
export async function* findApiKeys(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<FoundKey> {
  let window: Buffer = Buffer.alloc(0);
  let offset = 0;
  let line = 1;
  for await (const chunk of chunks) {
    window = Buffer.concat([window, chunk]);
    // Kept for the next chunk: each place from where a key does not yet fit.
    const kept = Math.max(0, window.length - apiKeyLength + 1);
    let counted = 0;
    for (const at of keysIn(window)) {
      line += newlinesIn(window, counted, at);
      counted = at;
      yield { offset: offset + at, line, start: startOf(window.toString('latin1', at, at + apiKeyLength)) };
    }
    line += newlinesIn(window, counted, kept);
    window = window.subarray(kept);
    offset += kept;
  }
}

/** The text as it may be printed: without control characters, and of a key in it only the start. */
export function printable(text: string): string {
  return text.replace(keyInText, '$1…').replace(controlCharacters, '\uFFFD');
}

/**
 * Where keys stand, whatever stands around them: in front of one may be the n of an escaped line end, and of the texts
 * that have the shape of a key one in 57,000,000,000 has its checksum too.
 */
function* keysIn(window: Buffer): Generator<number> {
  let at = window.indexOf(apiKeyPrefix, 0, 'latin1');
  while (at !== -1 && at + apiKeyLength <= window.length) {
    if (isWellFormedApiKey(window.toString('latin1', at, at + apiKeyLength))) yield at;
    at = window.indexOf(apiKeyPrefix, at + apiKeyPrefix.length, 'latin1');
  }
}

/** Byte by byte: a call of indexOf for each line would be slow where lines are short. */
function newlinesIn(window: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (window[at] === newline) count++;
  return count;
}

/** Paths are bytes here, because a file name need not be UTF-8. */
async function* scanPath(file: Buffer): AsyncGenerator<ScanResult> {
  try {
    if (!(await stat(file)).isDirectory()) {
      yield* scanChunks(file.toString(), chunksOf(file));
      return;
    }
    const entries = await readdir(file, { withFileTypes: true, encoding: 'buffer' });
    for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name)))
      if (entry.isFile() || entry.isDirectory()) yield* scanPath(below(file, entry.name));
  } catch (error) {
    yield { file: file.toString(), problem: reasonOf(error) };
  }
}

/** All chunks are the same memory, each good until the next: streams, which take new memory for each, are slower. */
async function* chunksOf(file: Buffer): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(chunk);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* scanChunks(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<ScanResult> {
  try {
    for await (const key of findApiKeys(chunks)) yield { file, key };
  } catch (error) {
    yield { file, problem: reasonOf(error) };
  }
}

function below(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat(directory.at(-1) === separator[0] ? [directory, name] : [directory, separator, name]);
}

/** Of an error of the system not the message, which repeats the path. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'errno' in error && typeof error.errno === 'number' ? getSystemErrorMessage(error.errno) : error.message;
}
