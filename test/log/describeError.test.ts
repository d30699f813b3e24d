import { DrizzleQueryError } from 'drizzle-orm';
import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { DependencyUnavailableError } from '../../src/errors.ts';
import { describeError } from '../../src/log/describeError.ts';

/** What postgres.js throws for a unique violation. */
function postgresError(): Error {
  return Object.assign(new Error('duplicate key value violates unique constraint "users_email_key"'), {
    name: 'PostgresError',
    severity: 'ERROR',
    code: '23505',
    detail: 'Key (email)=(hunter2@example.com) already exists.',
    constraint_name: 'users_email_key',
    table_name: 'users',
    query: 'insert into users (email) values ($1)',
    parameters: ['hunter2@example.com'],
  });
}

function drizzleError(): Error {
  return new DrizzleQueryError('insert into users (email) values ($1)', ['hunter2@example.com'], postgresError());
}

test('of an error of the database its state, constraint and table are kept, and no SQL, parameter or row', () => {
  const description = describeError(drizzleError());
  const text = JSON.stringify(description);
  expect(text).not.toMatch(/hunter2|insert into|\$1/);
  expect(description.message).toBeUndefined();
  expect(description.causes).toMatchObject([
    { name: 'PostgresError', code: '23505', constraint: 'users_email_key', table: 'users' },
  ]);
  expect(description.frames[0]).toMatch(/^at .*describeError\.test/);
});

test('an error around one of the database has no message either, whoever made it', () => {
  const cause = drizzleError();
  for (const error of [
    new Error(`Failed: ${cause.message}`, { cause }),
    new GraphQLError(cause.message, { originalError: cause }),
    new DependencyUnavailableError('database', { cause }),
    new AggregateError([cause], cause.message),
  ]) {
    const text = JSON.stringify(describeError(error));
    expect(text).not.toMatch(/hunter2|insert into/);
    expect(text).toContain('23505');
  }
});

test('of another error the message is kept without secrets, and its causes', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED redis://:hunter2@cache:6379'), { code: 'ECONNREFUSED' });
  const description = describeError(new TypeError('No answer', { cause }));
  expect(description).toMatchObject({
    name: 'TypeError',
    message: 'No answer',
    causes: [{ name: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED redis://[REDACTED]@cache:6379' }],
  });
});

test('the frames are those of the stack, and not lines of the message', () => {
  const { frames } = describeError(new Error('first line\n    at hunter2 (planted.ts:1:1)\n    at last'));
  expect(frames.length).toBeGreaterThan(0);
  expect(frames.length).toBeLessThanOrEqual(20);
  expect(frames.join()).not.toMatch(/hunter2|at last/);
});

test('causes that go round end', () => {
  const one = new Error('one');
  const two = new Error('two', { cause: one });
  one.cause = two;
  expect(describeError(one).causes).toHaveLength(1);
});

test.each([
  ['a text', 'nxk_live_0123456789abcdef', { name: 'NotAnError', message: '[REDACTED]', frames: [] }],
  ['an object', { password: 'hunter2' }, { name: 'NotAnError', message: 'Object', frames: [] }],
  ['an object without a prototype', Object.create(null), { name: 'NotAnError', message: 'Object', frames: [] }],
  ['nothing', undefined, { name: 'NotAnError', message: 'undefined', frames: [] }],
])('%s that was thrown is described too', (_what, thrown, description) => {
  expect(describeError(thrown)).toEqual(description);
});
