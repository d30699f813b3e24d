import { expect, test } from 'vitest';
import { tellTimeout } from '../../src/graphql/operationTimeout.ts';

const errors = [{ message: 'There is no such task.', path: ['b'], extensions: { code: 'NOT_FOUND' } }];

test.each([true, false])(
  'an answer that nothing timed out in stays as it is, however late (mutation: %s)',
  (isMutation) => {
    const result = { data: { a: { id: 'done' }, b: null }, errors };
    tellTimeout(result, isMutation);
    expect(result).toEqual({ data: { a: { id: 'done' }, b: null }, errors });
  },
);
