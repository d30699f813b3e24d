import { readFileSync } from 'node:fs';
import {
  concatAST,
  type DefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type StringValueNode,
  validate,
  visit,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { documentProblem, maxTokens } from '../src/graphql/documentLimits.ts';
import { renderAccessLock } from '../src/policy/accessLock.ts';
import { createSchema, readDocuments } from '../src/schema.ts';

const describable = new Set<string>([
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.ENUM_VALUE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.INPUT_VALUE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.FIELD_DEFINITION,
  Kind.DIRECTIVE_DEFINITION,
]);

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const { schema, policy } = createSchema();

describe('the SDL', () => {
  test('describes every type, field, argument, enum value and directive', () => {
    const bare: string[] = [];
    let described = 0;
    visit(concatAST(readDocuments()), {
      enter: (node) => {
        if (!describable.has(node.kind)) return;
        const { description, loc } = node as DefinitionNode & { description?: StringValueNode };
        if (description?.value.trim()) described += 1;
        else bare.push(`${loc?.source.name}:${loc?.startToken.line}`);
      },
    });
    expect(bare).toEqual([]);
    expect(described).toBeGreaterThan(300);
  });

  test('gives every mutation a nullable answer, so that one refusal does not void its neighbours', () => {
    const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
    expect(fields.filter(({ type }) => String(type).endsWith('!')).map(({ name }) => name)).toEqual([]);
  });
});

describe('access.lock', () => {
  test('is what the SDL says', () => {
    expect(read('../access.lock')).toBe(renderAccessLock(schema, policy));
  });

  test('is sorted, and has a line for every field of the table', () => {
    const coordinates = renderAccessLock(schema, policy)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' | ')[0] ?? '');
    expect(coordinates).toEqual([...coordinates].sort());
    expect([...policy.keys()].filter((coordinate) => !coordinates.includes(coordinate))).toEqual([]);
  });
});

describe('the operations of existing clients', () => {
  const document = parse(read('./contract/operations.graphql'), { maxTokens: 10 * maxTokens });
  const operations = document.definitions.filter(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const documentOf = (operation: OperationDefinitionNode) => {
    const used = new Set<string>();
    visit(operation, { FragmentSpread: ({ name }) => void used.add(name.value) });
    const own = fragments.filter((fragment) => 'name' in fragment && used.has(fragment.name?.value ?? ''));
    return { kind: Kind.DOCUMENT as const, definitions: [operation, ...own] };
  };

  test('are all here', () => {
    expect(operations).toHaveLength(32);
  });

  test.each(operations.map((operation) => [operation.name?.value, operation] as const))('%s is valid', (_name, one) => {
    const alone = documentOf(one);
    expect(validate(schema, alone)).toEqual([]);
    expect(documentProblem(alone)).toBeNull();
  });
});
