import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { problemsOf } from '../../src/graphql/input.ts';
import {
  cancelTaskArguments,
  createTaskInput,
  repeatedTaskInput,
  taskFilter,
  updateTaskArguments,
} from '../../src/tasks/input.ts';

const minimal = { name: 'Count', type: 'ANALYSIS' };
const inAMinute = () => new Date(Date.now() + 60_000);

describe('CreateTaskInput', () => {
  test.each([
    ['absent', minimal],
    ['null', { ...minimal, priority: null, maxAttempts: null, assignedTo: null, description: null, deadline: null }],
  ])('what is %s gets its default or is null', (_what, input) => {
    expect(createTaskInput.parse(input)).toEqual({
      name: 'Count',
      type: 'ANALYSIS',
      priority: 'MEDIUM',
      maxAttempts: 5,
      assignedTo: null,
      description: null,
      parameters: null,
      deadline: null,
      idempotencyKey: null,
    });
  });

  test('every problem is reported at once', () => {
    const input = {
      name: '',
      type: 'ANALYSIS',
      description: 'x'.repeat(10_001),
      parameters: JSON.parse('{"__proto__": 1}'),
      deadline: new Date(0),
      maxAttempts: 26,
      idempotencyKey: 'a\0',
    };
    expect(fieldsOf(createTaskInput, input)).toEqual(
      new Set(['name', 'description', 'parameters', 'deadline', 'maxAttempts', 'idempotencyKey']),
    );
  });

  test('a description that sanitises to nothing is no description', () => {
    expect(createTaskInput.parse({ ...minimal, description: '<script>1</script>' }).description).toBeNull();
  });

  test('an instant that Postgres cannot read is refused', () => {
    const deadline = new Date(Date.UTC(10_000, 0));
    expect(fieldsOf(createTaskInput, { ...minimal, deadline })).toEqual(new Set(['deadline']));
  });

  test('only a repeated call may have a deadline that has passed', () => {
    const input = { ...minimal, deadline: new Date(0) };
    expect(createTaskInput.safeParse(input).success).toBe(false);
    expect(repeatedTaskInput.parse(input).deadline).toEqual(new Date(0));
  });
});

describe('the arguments of updateTask', () => {
  test('absent fields stay absent and null removes', () => {
    const { input } = updateTaskArguments.parse({ id: 'task_1', input: { description: null, deadline: null } });
    expect(input).toEqual({ description: null, deadline: null });
  });

  test('nothing to change is a problem of the input', () => {
    expect(fieldsOf(updateTaskArguments, { id: 'task_1', input: {} })).toEqual(new Set(['input']));
  });

  test('name and priority cannot be removed, and a bad id is reported with them', () => {
    const fields = fieldsOf(updateTaskArguments, { id: '\0', input: { name: null, priority: null } });
    expect(fields).toEqual(new Set(['id', 'input.name', 'input.priority']));
  });

  test('what is given is checked as in a new task', () => {
    const input = { name: 'x'.repeat(201), deadline: new Date(0), parameters: { a: Number.POSITIVE_INFINITY } };
    const fields = fieldsOf(updateTaskArguments, { id: 'task_1', input });
    expect(fields).toEqual(new Set(['input.name', 'input.deadline', 'input.parameters']));
    expect(updateTaskArguments.safeParse({ id: 'task_1', input: { deadline: inAMinute() } }).success).toBe(true);
  });
});

test.each([
  [undefined, true],
  [null, true],
  ['x', true],
  ['', false],
  ['x'.repeat(501), false],
])('the reason of cancelTask: %j is valid: %s', (reason, isValid) => {
  expect(cancelTaskArguments.safeParse({ id: 'task_1', reason }).success).toBe(isValid);
});

describe('TaskFilter', () => {
  test.each([[{}], [{ status: null, type: null, createdAfter: null }], [{ status: ['PENDING'], createdBy: 'user_1' }]])(
    '%j is a filter',
    (filter) => {
      expect(taskFilter.safeParse(filter).success).toBe(true);
    },
  );

  test.each([
    ['status', { status: [] }],
    ['status', { status: Array(6).fill('PENDING') }],
    ['createdBy', { createdBy: '\ud800' }],
    ['createdAfter', { createdAfter: new Date('0000-06-01T00:00:00Z') }],
    ['createdBefore', { createdBefore: new Date(Date.UTC(10_000, 0)) }],
  ])('a bad %s is refused: %j', (field, filter) => {
    expect(fieldsOf(taskFilter, filter)).toEqual(new Set([field]));
  });
});

function fieldsOf(schema: z.ZodType, value: unknown): Set<string> {
  const { error } = schema.safeParse(value);
  return new Set(error && problemsOf(error).map(({ field }) => field));
}
