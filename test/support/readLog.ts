import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { TestApp } from './app.ts';

/** The app's log, once it holds the events of all the requests that were answered before: it is written behind. */
export async function readLog(app: TestApp): Promise<string> {
  const requestId = randomUUID();
  await app.request('{ __typename }', {}, null, { 'x-request-id': requestId });
  const read = () => readFile(app.logFile, 'utf8');
  await expect.poll(read, { timeout: 5_000 }).toContain(requestId);
  return read();
}
