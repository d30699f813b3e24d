import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createBoundDocuments } from '../../src/graphql/boundDocuments.ts';
import { createDocumentStore } from '../../src/graphql/documentStore.ts';

const tooDeep = `${'a { '.repeat(11)}a${' }'.repeat(11)}`;

test('a refused document weighs in the cache what its text does, since its names hold on to that', async () => {
  const [bounds, store] = [createBoundDocuments(), createDocumentStore()];
  for (let turn = 0; turn < 100; turn++) {
    const request = { document: parse(`query NameOfManyLetters${turn} { ${tooDeep} } #${'x'.repeat(200_000)}`) };
    bounds.bound(request);
    expect(bounds.refusedOf(request.document, null)?.problem.code).toBe('OPERATION_TOO_DEEP');
    await store.set(`${turn}`, request.document);
  }
  expect(await store.get('0')).toBeUndefined();
  expect(await store.get('99')).toBeDefined();
});
