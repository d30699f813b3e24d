import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findApiKeys, printable, scanForApiKeys } from '../../src/apiKeys/scan.ts';
import { newApiKeySecret, startOf } from '../../src/apiKeys/secret.ts';

const cliFile = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const alphabet = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const secret = newApiKeySecret('live');
const start = startOf(secret);
const nothing = Readable.from([]);

const find = (...chunks: (string | Buffer)[]) => all(findApiKeys(chunks.map((chunk) => Buffer.from(chunk))));
const scan = (input: string) => all(scanForApiKeys(input, nothing));

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const result of results) collected.push(result);
  return collected;
}

/** Random base62, as evenly spread as 256 values over 62 characters can be. */
function randomBase62(length: number): Buffer {
  const bytes = randomBytes(length);
  for (let at = 0; at < length; at++) bytes[at] = alphabet[(bytes[at] ?? 0) % alphabet.length] ?? 0;
  return bytes;
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-scan-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function nexus(args: string[], input: string | Buffer = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliFile, ...args], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return { status, stdout, stderr };
}

describe('a key', () => {
  test.each(['live', 'test'] as const)(
    'of the %s environment is found where it is all there is',
    async (environment) => {
      const key = newApiKeySecret(environment);
      expect(await find(key)).toEqual([{ offset: 0, line: 1, start: startOf(key) }]);
    },
  );

  test('is found wherever two chunks are cut', async () => {
    const text = `a\nbc=${secret}\n`;
    for (let cut = 0; cut <= text.length; cut++)
      expect(await find(text.slice(0, cut), text.slice(cut))).toEqual([{ offset: 5, line: 2, start }]);
  });

  test('is found in chunks of any one size, and with empty ones between', async () => {
    const text = `\n\n${'x'.repeat(70)} ${secret};${secret}\n${secret}`;
    const expected = [
      { offset: 73, line: 3, start },
      { offset: 132, line: 3, start },
      { offset: 191, line: 4, start },
    ];
    for (let size = 1; size <= text.length; size++) {
      const chunks: string[] = [];
      for (let at = 0; at < text.length; at += size) chunks.push(text.slice(at, at + size), '');
      expect(await find(...chunks)).toEqual(expected);
    }
  });

  test.each([
    '"',
    '_',
    '-',
    '.',
    '\0',
    '\xff',
    'é',
    '\r\n',
    'nxk_',
    'nxk_live_',
    'nxk_live_nxk_',
    String.raw`KEY=\n`,
    '%3D',
    ...'09AZaz',
  ])('is found behind %j', async (before) => {
    expect(await find(`${before + secret}_`)).toEqual([
      { offset: Buffer.byteLength(before), line: before.endsWith('\n') ? 2 : 1, start },
    ]);
  });

  test.each([...'_"09AZaz', secret.slice(0, -1)])('is found before %j, in one chunk or the next', async (behind) => {
    const text = secret + behind;
    for (let cut = 0; cut <= text.length; cut++)
      expect(await find(text.slice(0, cut), text.slice(cut))).toEqual([{ offset: 0, line: 1, start }]);
  });

  test('is found at its byte and its line, a thousand times, between bytes of every value', async () => {
    const parts: Buffer[] = [];
    const expected: { offset: number; line: number; start: string }[] = [];
    let [offset, line] = [0, 1];
    for (let index = 0; index < 1_000; index++) {
      const noise = Buffer.concat([randomBytes(index % 300), Buffer.from('\n ')]);
      const key = newApiKeySecret(index % 2 ? 'live' : 'test');
      offset += noise.length;
      line += noise.filter((byte) => byte === 0x0a).length;
      expected.push({ offset, line, start: startOf(key) });
      offset += key.length;
      parts.push(noise, Buffer.from(key), Buffer.from(' '));
      offset += 1;
    }
    const whole = Buffer.concat(parts);
    for (const size of [59, 1_000, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      );
      expect(await find(...chunks)).toEqual(expected);
    }
  });
});

describe('no key', () => {
  test('is what differs from one in any character, those of the checksum too', async () => {
    for (let at = 0; at < secret.length; at++) {
      const other = secret[at] === 'a' ? 'b' : 'a';
      expect(await find(`${secret.slice(0, at)}${other}${secret.slice(at + 1)}`)).toEqual([]);
    }
  });

  test('is one that is cut short', async () => {
    for (let length = 0; length < secret.length; length++) expect(await find(secret.slice(0, length), ' ')).toEqual([]);
  });

  test('is in 32 MB of random base62, nor in 200,000 texts of its shape', async () => {
    function* chunks() {
      for (let index = 0; index < 32; index++) yield randomBase62(1_000_000);
      const bodies = randomBase62(200_000 * 49).toString('latin1');
      for (let at = 0; at < bodies.length; at += 49) yield Buffer.from(`\nnxk_live_${bodies.slice(at, at + 49)}\n`);
    }
    expect(await all(findApiKeys(chunks()))).toEqual([]);
  });
});

describe('a directory', () => {
  test('is scanned to its depth, hidden and binary files too, and symbolic links are not followed', async () => {
    const directory = await temporaryDirectory();
    const outside = await temporaryDirectory();
    await mkdir(path.join(directory, 'deep/.hidden'), { recursive: true });
    await writeFile(path.join(directory, 'deep/.hidden/key'), `\n${secret}`);
    await writeFile(path.join(directory, 'binary'), Buffer.concat([Buffer.from([0, 255, 10]), Buffer.from(secret)]));
    await writeFile(path.join(directory, 'clean'), 'nxk_live_');
    await writeFile(path.join(outside, 'key'), secret);
    await symlink(outside, path.join(directory, 'linkedDirectory'));
    await symlink(path.join(outside, 'key'), path.join(directory, 'linkedFile'));
    await symlink(directory, path.join(directory, 'loop'));

    expect(await scan(directory)).toEqual([
      { file: path.join(directory, 'binary'), key: { offset: 3, line: 2, start } },
      { file: path.join(directory, 'deep/.hidden/key'), key: { offset: 1, line: 2, start } },
    ]);
  });

  test('with a file of many reads is scanned to its end', async () => {
    const directory = await temporaryDirectory();
    const line = `${'x'.repeat(998)} \n`;
    await writeFile(
      path.join(directory, 'long'),
      `${line.repeat(262)}${' '.repeat(120)}${secret}\n${line.repeat(1_000)}${secret}`,
    );
    expect(await scan(directory)).toEqual([
      { file: path.join(directory, 'long'), key: { offset: 262_120, line: 263, start } },
      { file: path.join(directory, 'long'), key: { offset: 1_262_179, line: 1_264, start } },
    ]);
  });

  test('with a file whose name is not UTF-8 is scanned like any other', async () => {
    const directory = await temporaryDirectory();
    await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), secret);
    expect(await scan(`${directory}/`)).toEqual([{ file: `${directory}/\uFFFD`, key: { offset: 0, line: 1, start } }]);
  });

  test('of which a file and a directory become unreadable names both, and the rest is scanned', async () => {
    const directory = await temporaryDirectory();
    for (const name of ['a', 'b', 'd']) await writeFile(path.join(directory, name), secret);
    await mkdir(path.join(directory, 'c'));
    const results = scanForApiKeys(directory, nothing);
    const first = await results.next();
    for (const name of ['b', 'c']) await rm(path.join(directory, name), { recursive: true });

    const found = { offset: 0, line: 1, start };
    expect([first.value, ...(await all(results))]).toEqual([
      { file: path.join(directory, 'a'), key: found },
      { file: path.join(directory, 'b'), problem: 'no such file or directory' },
      { file: path.join(directory, 'c'), problem: 'no such file or directory' },
      { file: path.join(directory, 'd'), key: found },
    ]);
  });
});

test('what is printed of a file name holds no whole key and no control character', () => {
  expect(printable(`a/${secret}\u001b[31m\n.txt`)).toBe(`a/${start}…\uFFFD[31m\uFFFD.txt`);
});

describe('the command', () => {
  test('ends with 1 where it finds a key, and prints its file, line and byte, and only its start', async () => {
    const directory = await temporaryDirectory();
    const named = path.join(directory, `${secret}.txt`);
    await writeFile(named, `one\ntwo ${secret}\n`);
    const { status, stdout, stderr } = nexus(['keys', 'scan', directory]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toBe(`${directory}/${start}….txt:2: ${start}… at byte 8\n`);
    expect(stdout).not.toContain(secret.slice(0, start.length + 1));
  });

  test('reads the standard input as -, longer than a pipe holds', () => {
    const long = Buffer.concat([Buffer.alloc(300_000, 'x\n'), Buffer.from(secret)]);
    expect(nexus(['keys', 'scan', '-'], long)).toEqual({
      status: 1,
      stdout: `(standard input):150001: ${start}… at byte 300000\n`,
      stderr: '',
    });
  });

  test('ends with 0 and in silence where there is nothing', async () => {
    const silence = { status: 0, stdout: '', stderr: '' };
    expect(nexus(['keys', 'scan', '-'], secret.slice(0, -1))).toEqual(silence);
    expect(nexus(['keys', 'scan', await temporaryDirectory()])).toEqual(silence);
  });

  test('ends with 2 and a sentence where the path cannot be read', async () => {
    const missing = path.join(await temporaryDirectory(), secret);
    const { status, stdout, stderr } = nexus(['keys', 'scan', missing]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(`${missing.replace(secret, start)}… could not be read: no such file or directory.\n`);
  });

  test('ends with 2 and says why where the standard input is a directory, which Node reads as empty', async () => {
    const directory = await open(await temporaryDirectory());
    onTestFinished(() => directory.close());
    const { status, stderr } = spawnSync(process.execPath, [cliFile, 'keys', 'scan', '-'], {
      stdio: [directory.fd, 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr).toContain('The standard input is a directory');
  });

  test.each([
    [['keys']],
    [['keys', 'scan']],
    [['keys', 'scan', '-', '-']],
    [['keys', 'scan', '--check', '-']],
    [['keys', 'scan', '--deep', '-']],
    [['keys', 'find', '-']],
  ])('ends with 2 and says why for %j', (args) => {
    const { status, stdout, stderr } = nexus(args, secret);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/`keys scan` takes one path, or - for the standard input|Unknown option '--deep'/);
  });
});
