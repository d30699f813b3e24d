import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closeLog, createLog, logRequest, type RequestEvent } from '../src/log.ts';

const key = `nxk_live_${'s3cr3t'.repeat(8)}`;
let directory: string;
let stdout: string;

const event: RequestEvent = {
  requestId: 'request-1',
  method: 'POST',
  path: '/graphql',
  status: 200,
  durationMs: 1.5,
  ip: '192.0.2.1',
  userAgent: 'agent/1',
  operationName: 'Tasks',
  operationType: 'query',
  codes: [],
  callerKind: 'USER',
  callerId: 'user_1',
  credentialId: 'key_1',
  bytes: 17,
};

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'nexus-log-'));
  stdout = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += chunk;
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

function open(logLevel: Parameters<typeof createLog>[0]['logLevel'] = 'info') {
  return createLog({ logLevel, auditLogFile: path.join(directory, 'logs', 'audit.log') });
}

async function linesOf(log: ReturnType<typeof open>): Promise<Record<string, unknown>[]> {
  await closeLog(log);
  const text = await readFile(path.join(directory, 'logs', 'audit.log'), 'utf8').catch(() => '');
  expect(stdout).toBe(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('a request is one line with its time, on standard output and in the file', async () => {
  const log = open();
  logRequest(log, event);
  const lines = await linesOf(log);
  expect(lines).toEqual([{ timestamp: expect.any(String), level: 'info', event: 'request', ...event }]);
  expect(new Date(String(lines[0]?.timestamp)).getTime()).toBeGreaterThan(Date.now() - 60_000);
});

test('what a client sends is redacted and cut in a request event', async () => {
  const log = open();
  logRequest(log, { ...event, path: `/${key}`, userAgent: `curl ${key}`, operationName: `x${'y'.repeat(1_000)}` });
  const [line] = await linesOf(log);
  expect(JSON.stringify(line)).not.toContain('s3cr3t');
  expect(line?.operationName).toHaveLength(256);
});

test('ten thousand events at once are all there, in their order', async () => {
  const log = open();
  for (let index = 0; index < 10_000; index++) logRequest(log, { ...event, bytes: index });
  const lines = await linesOf(log);
  expect(lines.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});

test('nothing that has the name or the format of a secret is written, whichever way it is logged', async () => {
  const log = open('silly');
  log.info(`A message with ${key}`);
  log.info('An entry', { apiKey: key, nested: { authorization: key, note: key } });
  log.info({ message: key, token: key });
  log.error('An error', new Error(key));
  log.error('An error inside', { error: new Error(key), stack: key });
  log.error(new Error(key));
  log.log('debug', 'An entry', { list: [key] });
  log.child({ header: key }).warn('A child');
  const lines = await linesOf(log);
  expect(lines).toHaveLength(8);
  expect(JSON.stringify(lines)).not.toContain('s3cr3t');
  expect(lines.map(({ level }) => level)).toEqual(['info', 'info', 'info', 'error', 'error', 'error', 'debug', 'warn']);
});

test('an error beside a message is described, without SQL that winston would append to the message', async () => {
  const log = open();
  const error = Object.assign(new Error('insert into users values (hunter2)'), {
    query: 'insert',
    params: ['hunter2'],
  });
  log.error('It failed.', error);
  const [line] = await linesOf(log);
  expect(line).toMatchObject({ message: 'It failed.', error: { name: 'Error' } });
  expect(JSON.stringify(line)).not.toMatch(/hunter2|insert/);
});

test('an entry that cannot be read becomes a line that says so', async () => {
  const log = open();
  const broken = {
    get value() {
      throw new Error('unreadable');
    },
  };
  expect(() => log.info('Bad', { broken })).not.toThrow();
  log.info('Good');
  expect(await linesOf(log)).toMatchObject([{ message: 'An entry could not be logged.' }, { message: 'Good' }]);
});

test('a level below the one of the settings is not written, and silent writes nothing', async () => {
  const log = open('warn');
  log.info('too little');
  logRequest(log, event);
  log.warn('enough');
  expect((await linesOf(log)).map(({ message }) => message)).toEqual(['enough']);
  stdout = '';
  await rm(path.join(directory, 'logs'), { recursive: true });
  const silent = open('silent');
  silent.error('nothing');
  logRequest(silent, event);
  expect(await linesOf(silent)).toEqual([]);
});

test('a log file that cannot be written is told once on standard error, and standard output goes on', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const log = createLog({ logLevel: 'info', auditLogFile: '/dev/null/audit.log' });
  log.info('one');
  await new Promise((resolve) => setTimeout(resolve, 50));
  log.info('two');
  await closeLog(log);
  expect(stdout.split('\n')).toHaveLength(3);
  expect(stderr).toHaveBeenCalledTimes(1);
  expect(stderr).toHaveBeenCalledWith(expect.stringMatching(/^the log file cannot be written: [A-Z]+\n$/));
});

test('a reader that closes standard output does not end the process', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const log = open();
  process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  log.info('still here');
  expect(await linesOf(log)).toHaveLength(1);
  expect(stderr).toHaveBeenCalledWith('standard output cannot be written: EPIPE\n');
});

test('an entry after the end is not an exception', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const log = open();
  await closeLog(log);
  expect(() => log.info('too late')).not.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 20));
});
