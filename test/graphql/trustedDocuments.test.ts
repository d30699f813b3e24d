import { buildSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { isDocumentHash, readTrustedDocuments } from '../../src/graphql/trustedDocuments.ts';
import { entryOf, hashOf, manifestOf, writeManifest } from '../support/manifest.ts';

const schema = buildSchema('type Query { a(n: Int): Int b: Int } type Mutation { c: Int }');
const getA = 'query GetA { a }';
const doC = 'mutation DoC { c }';

async function read(text: string) {
  return readTrustedDocuments(await writeManifest(text), schema);
}

async function problemsOf(text: string): Promise<string[]> {
  const error = await read(text).then(
    () => new Error('The manifest was accepted.'),
    (reason: Error) => reason,
  );
  return error.message.split('\n').map((line) => line.trim());
}

const head = 'The file of TRUSTED_DOCUMENTS is wrong:';

test('a manifest of Apollo is read, with what it says beside', async () => {
  const documents = await read(manifestOf([{ ...entryOf(getA), clientName: 'web' }, entryOf(doC)]));
  expect([...documents]).toEqual([
    [hashOf(getA), getA],
    [hashOf(doC), doC],
  ]);
  expect((await read(manifestOf([]))).size).toBe(0);
});

describe('a manifest is refused', () => {
  test.each([
    ['no JSON', '{', ['it must be a JSON object']],
    ['a list', '[]', ['it must be a JSON object']],
    [
      'another format',
      '{"format":"x","version":2}',
      ['its format must be apollo-persisted-query-manifest', 'its version must be 1', 'its operations must be a list'],
    ],
  ])('that is %s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual([head, ...problems]);
  });

  test('with every mistake of its operations at once', async () => {
    const wrong = manifestOf([
      entryOf(getA),
      { ...entryOf(doC), id: hashOf(`${doC} `) },
      { ...entryOf(getA), body: `${getA} ` },
      entryOf(getA),
      { ...entryOf(getA), id: hashOf('query {'), body: 'query {' },
      entryOf('query Unknown { nothing }'),
      { ...entryOf('query One { a } query Two { b }'), name: 'One', type: 'query' },
      { ...entryOf('mutation DoD { c }'), type: 'query' },
      { ...entryOf('query Anonymous { b }'), name: 'Another' },
      { id: 1, name: 'NoBody', type: 'query' },
      null,
    ]);
    expect(await problemsOf(wrong)).toEqual([
      head,
      'operation 2 (DoC): its id is not the SHA-256 of its body',
      'operation 3 (GetA): its id is not the SHA-256 of its body',
      'operation 3 (GetA): its id stands above already',
      'operation 4 (GetA): its id stands above already',
      'operation 5 (GetA): Syntax Error: Expected Name, found <EOF>.',
      'operation 6 (Unknown): Cannot query field "nothing" on type "Query".',
      'operation 7 (One): its body must have exactly one operation',
      'operation 8 (DoD): its name and type are not those of its operation',
      'operation 9 (Another): its name and type are not those of its operation',
      'operation 10: id is missing or of the wrong kind',
      'operation 10: body is missing or of the wrong kind',
      'operation 11: the entry is missing or of the wrong kind',
    ]);
  });

  test('where it is not there', async () => {
    await expect(readTrustedDocuments('/nowhere/manifest.json', schema)).rejects.toThrow(
      'The file of TRUSTED_DOCUMENTS cannot be read.',
    );
  });
});

test('a wrong manifest stops the start before anything is opened', async () => {
  const file = await writeManifest(manifestOf([entryOf('query GetA { a }')]));
  const config = readConfig({ NODE_ENV: 'test', NEXUS_DATA_DIR: `${file}.data`, TRUSTED_DOCUMENTS: file });
  await expect(createApp(config)).rejects.toThrow(/operation 1 \(GetA\): Cannot query field "a"/);
});

test.each(['', 'a'.repeat(63), 'A'.repeat(64), 'g'.repeat(64), `${'a'.repeat(64)}\n`])('%j is no hash', (text) => {
  expect(isDocumentHash(text)).toBe(false);
});
