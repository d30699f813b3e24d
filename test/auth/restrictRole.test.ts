import { expect, test } from 'vitest';
import { restrictRole } from '../../src/auth/restrictRole.ts';
import type { Role } from '../../src/auth/roles.ts';

test.each<[Role, Role[], Role | null]>([
  ['ADMIN', ['ADMIN'], 'ADMIN'],
  ['ADMIN', ['OPERATOR'], 'OPERATOR'],
  ['ADMIN', ['VIEWER'], 'VIEWER'],
  ['OPERATOR', ['ADMIN'], 'OPERATOR'],
  ['OPERATOR', ['VIEWER'], 'VIEWER'],
  ['VIEWER', ['ADMIN'], 'VIEWER'],
  ['AGENT', ['ADMIN'], 'AGENT'],
  ['AGENT', ['OPERATOR'], 'AGENT'],
  ['AGENT', ['VIEWER'], null],
  ['VIEWER', ['AGENT'], null],
  ['ADMIN', [], null],
])('a credential of %s whose owner now has %j is %s', (role, held, expected) => {
  expect(restrictRole(role, held)).toBe(expected);
});
