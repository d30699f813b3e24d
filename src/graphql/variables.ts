import {
  coerceInputValue,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { InputError, type NexusError, type Problem } from '../errors.ts';
import { isStorable } from './input.ts';

const maxListLength = 1000;
const maxUnknownFields = 10;
const maxProblems = 50;

/** Ends a coercion that has told as many problems as are answered: graphql-js itself would go on to the last. */
const enough = new Error('There are enough problems.');

/**
 * What is wrong with the variables before they are coerced, because graphql-js does not bound the coercion: lists that
 * are too long, many unknown fields, and texts that cannot be stored. Recursion is bounded by the depth of the types.
 */
export function variablesProblem(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): NexusError | null {
  const problems: Problem[] = [];
  for (const { name, type } of inputsOf(schema, operation)) checkValue(variables[name], type, name, problems);
  return problems.length > 0 ? new InputError(problems) : null;
}

/** Every problem of variables that could not be coerced; messages never repeat a value. */
export function coercionProblems(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Problem[] {
  const problems: Problem[] = [];
  for (const { name, type, hasDefault } of inputsOf(schema, operation)) {
    const value = variables[name];
    if (value === undefined) {
      if (isNonNullType(type) && !hasDefault) problems.push({ field: name, message: 'is required' });
      continue;
    }
    try {
      coerceInputValue(value, type, (path, _value, { message }) => {
        if (problems.length >= maxProblems) throw enough;
        problems.push({ field: [name, ...path].join('.'), message: inWords(message) });
      });
    } catch (error) {
      if (error === enough) break;
      throw error;
    }
  }
  return problems;
}

function* inputsOf(schema: GraphQLSchema, operation: OperationDefinitionNode) {
  for (const definition of operation.variableDefinitions ?? []) {
    const type = typeFromAST(schema, definition.type);
    if (isInputType(type))
      yield { name: definition.variable.name.value, type, hasDefault: definition.defaultValue !== undefined };
  }
}

function checkValue(value: unknown, type: GraphQLInputType, field: string, problems: Problem[]): void {
  if (value == null || problems.length >= maxProblems) return;
  const nullable = isNonNullType(type) ? type.ofType : type;
  if (isListType(nullable) && Array.isArray(value)) checkList(value, nullable.ofType, field, problems);
  else if (isListType(nullable)) checkValue(value, nullable.ofType, field, problems);
  else if (isInputObjectType(nullable) && typeof value === 'object') {
    const fields = nullable.getFields();
    let unknown = 0;
    for (const [key, inner] of Object.entries(value)) {
      const known = fields[key];
      if (known) checkValue(inner, known.type, `${field}.${key}`, problems);
      else unknown += 1;
    }
    if (unknown > maxUnknownFields)
      problems.push({ field, message: `has ${unknown} fields that ${nullable.name} does not know` });
  } else if (typeof value === 'string' && !isStorable(value))
    problems.push({ field, message: 'must not hold NUL or lone surrogates' });
}

function checkList(values: unknown[], type: GraphQLInputType, field: string, problems: Problem[]): void {
  if (values.length > maxListLength) problems.push({ field, message: `must hold at most ${maxListLength} elements` });
  else for (const [index, value] of values.entries()) checkValue(value, type, `${field}.${index}`, problems);
}

/** graphql-js quotes values of scalars and enums in its messages. */
function inWords(message: string): string {
  const type = /^Expected type "(\w+)"\./.exec(message)?.[1] ?? /in "(\w+)" enum/.exec(message)?.[1];
  if (type) return `must be a valid ${type}`;
  if (message.startsWith('Expected non-nullable type')) return 'must not be null';
  if (/^Field "[^"]*" of required type/.test(message)) return message.replace(' was not provided', ' is required');
  if (/cannot represent/.test(message)) return `must be a valid ${/^(\w+) cannot/.exec(message)?.[1] ?? 'value'}`;
  return message.length <= 200 ? message : 'is not valid';
}
