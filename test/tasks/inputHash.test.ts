import { describe, expect, test } from 'vitest';
import { hashInput } from '../../src/tasks/inputHash.ts';

describe('the hash of an input', () => {
  const input = { name: 'a', deadline: new Date(0), parameters: { b: [1, { d: 1, c: null }], a: 'x' } };

  test('is a SHA-256 in hex', () => {
    expect(hashInput(input)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('does not depend on the order of keys, at any depth', () => {
    const reordered = { parameters: { a: 'x', b: [1, { c: null, d: 1 }] }, deadline: new Date(0), name: 'a' };
    expect(hashInput(reordered)).toBe(hashInput(input));
  });

  test.each([
    ['another value', { ...input, name: 'b' }],
    ['another instant', { ...input, deadline: new Date(1) }],
    ['another value deep inside', { ...input, parameters: { b: [1, { d: 2, c: null }], a: 'x' } }],
    ['another order of a list', { ...input, parameters: { b: [{ d: 1, c: null }, 1], a: 'x' } }],
    ['a text for a number', { ...input, parameters: { b: ['1', { d: 1, c: null }], a: 'x' } }],
    ['null for absent', { ...input, parameters: { b: [1, { d: 1 }], a: 'x' } }],
  ])('is another one for %s', (_what, other) => {
    expect(hashInput(other)).not.toBe(hashInput(input));
  });
});
