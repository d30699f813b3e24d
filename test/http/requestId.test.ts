import { expect, test } from 'vitest';
import { requestIdOf } from '../../src/http/requestId.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test.each(['01234567', 'a.b_c-d9', 'x'.repeat(128)])('the client keeps its id %s', (id) => {
  expect(requestIdOf({ 'x-request-id': id })).toBe(id);
});

test.each([
  '',
  '1234567',
  'x'.repeat(129),
  'with space',
  'line\nbreak',
  'ünicode-id',
  '{"json":true}',
  `nxk_live_${'a'.repeat(49)}`,
  'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  `sess_01h455vb4pex5vsknk084sn02q.${'a'.repeat(43)}`,
])('the id %j is replaced', (id) => {
  expect(requestIdOf({ 'x-request-id': id })).toMatch(uuid);
});

test('without an id, each request gets its own', () => {
  expect(requestIdOf({})).toMatch(uuid);
  expect(requestIdOf({})).not.toBe(requestIdOf({}));
});
