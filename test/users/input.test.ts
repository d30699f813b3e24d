import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseInput } from '../../src/graphql/input.ts';
import { changePasswordArguments, createUserInput, setUserRolesArguments } from '../../src/users/input.ts';

const user = { email: 'ada@example.com', password: 'correct horse battery staple', roles: ['OPERATOR'] };

test('a new user has the canonical address and the tier STANDARD', () => {
  const parsed = parseInput(createUserInput, { ...user, email: 'Ada@Example.com', tier: null }, 'input');
  expect(parsed).toEqual({ ...user, tier: 'STANDARD' });
});

test.each([
  ['no role', []],
  ['the role of agents', ['AGENT']],
  ['a role twice', ['ADMIN', 'ADMIN']],
  ['every role and that of agents', ['ADMIN', 'OPERATOR', 'VIEWER', 'AGENT']],
])('%s is one problem of the roles', (_name, roles) => {
  expect(problemFields(() => parseInput(createUserInput, { ...user, roles }, 'input'))).toEqual(['input.roles']);
  expect(problemFields(() => parseInput(setUserRolesArguments, { roles }))).toEqual(['roles']);
});

test.each([
  ['eleven characters', 'kX3-vP9_qL2'],
  ['201 characters', `${'kX3-vP9_qL2mZ7'.repeat(14)}12345`],
  ['a common password', 'password1234'],
  ['a NUL', 'correct horse\0battery staple'],
])('a password of %s is a problem', (_name, password) => {
  expect(problemFields(() => parseInput(createUserInput, { ...user, password }, 'input'))).toEqual(['input.password']);
});

test.each(['a'.repeat(243).concat('@example.com'), 'ada', 'ada@', 'ädä@example.com'])('%s is no address', (email) => {
  expect(problemFields(() => parseInput(createUserInput, { ...user, email }, 'input'))).toEqual(['input.email']);
});

test('every problem is told at once', () => {
  const wrong = { email: 'ada', password: 'kX3-vP9', roles: ['AGENT'] };
  expect(problemFields(() => parseInput(createUserInput, wrong, 'input'))).toEqual([
    'input.email',
    'input.password',
    'input.roles',
  ]);
});

test('a new password differs from the current one, and that is told beside its other problems', () => {
  const same = { currentPassword: 'kX3-vP9', newPassword: 'kX3-vP9' };
  const fields = problemFields(() => parseInput(changePasswordArguments, same));
  expect(fields).toEqual(['newPassword', 'newPassword']);
});

function problemFields(parse: () => unknown): string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof InputError)
      return (error.extensions.problems as { field: string }[]).map(({ field }) => field);
    throw error;
  }
  return [];
}
