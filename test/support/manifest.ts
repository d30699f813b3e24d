import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getOperationAST, parse } from 'graphql';
import { onTestFinished } from 'vitest';

/** The SHA-256 of a document, in hex. */
export function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

/** The entry of a document in Apollo's manifest. */
export function entryOf(body: string) {
  const operation = getOperationAST(parse(body));
  return { id: hashOf(body), name: operation?.name?.value, type: operation?.operation, body };
}

/** The manifest of these entries, as Apollo's tool writes it. */
export function manifestOf(operations: unknown[]): string {
  return JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }, null, 2);
}

/** Writes a file that is gone after the test, or after all tests where `onEnd` is given. */
export async function writeManifest(text: string, onEnd: typeof onTestFinished = onTestFinished): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-manifest-'));
  onEnd(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'manifest.json');
  await writeFile(file, text);
  return file;
}
