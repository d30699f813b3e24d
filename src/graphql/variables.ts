import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { InputError, type NexusError, type Problem } from '../errors.ts';
import { isStorable } from './input.ts';

const maxListLength = 1000;
const maxUnknownFields = 10;
const maxProblems = 50;
const maxFieldNameLength = 64;
/** Of one text outside JSON. */
const maxTextLength = 128 * 1024;
/** Of all variables together: a batch of 1,000 readings has up to 68,000. */
const maxValues = 100_000;
const maxJsonDepth = 10;

/** The only scalar whose values are objects; the rooms bound them. */
const jsonScalar = 'JSONObject';

type Variables = Readonly<Record<string, unknown>>;
type Check = { problems: Problem[]; parsesLeaves: boolean; values: number };

/**
 * What is wrong with the variables before they are coerced; null where their shape is right and every text can be
 * stored. graphql-js must not see them otherwise: it does not bound its work, and writes the objects around an unknown
 * or missing field into one message for each. What is left to it is whether each scalar holds what it should. Recursion
 * is bounded by the depth of the types.
 */
export function variablesProblem(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Variables,
): NexusError | null {
  if (check(schema, operation, variables, false).length === 0) return null;
  return new InputError(coercionProblems(schema, operation, variables));
}

/** Every problem of variables that cannot be coerced, up to 50; messages never repeat a value. */
export function coercionProblems(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Variables,
): Problem[] {
  return check(schema, operation, variables, true);
}

function check(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Variables,
  parsesLeaves: boolean,
): Problem[] {
  const found: Check = { problems: [], parsesLeaves, values: 0 };
  for (const { type: typeNode, variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    const type = typeFromAST(schema, typeNode);
    const isGiven = Object.hasOwn(variables, name) && variables[name] !== undefined;
    if (isInputType(type) && (isGiven || !defaultValue))
      checkValue(isGiven ? variables[name] : undefined, type, name, found);
  }
  if (found.values > maxValues) tell(found, 'variables', `must hold at most ${maxValues} values`);
  return found.problems;
}

function checkValue(value: unknown, type: GraphQLInputType, field: string, found: Check): void {
  found.values += 1;
  if (found.problems.length >= maxProblems || found.values > maxValues) return;
  if (value == null) {
    if (isNonNullType(type)) tell(found, field, value === null ? 'must not be null' : 'is required');
    return;
  }
  const nullable = isNonNullType(type) ? type.ofType : type;
  if (isListType(nullable) && Array.isArray(value)) checkList(value, nullable.ofType, field, found);
  else if (isListType(nullable)) checkValue(value, nullable.ofType, field, found);
  else if (isInputObjectType(nullable)) checkObject(value, nullable, field, found);
  else checkLeaf(value, nullable, field, found);
}

function checkList(values: unknown[], type: GraphQLInputType, field: string, found: Check): void {
  if (values.length > maxListLength) tell(found, field, `must hold at most ${maxListLength} elements`);
  else for (const [index, value] of values.entries()) checkValue(value, type, `${field}.${index}`, found);
}

function checkObject(value: object, type: GraphQLInputObjectType, field: string, found: Check): void {
  if (typeof value !== 'object' || Array.isArray(value)) {
    tell(found, field, `must be a valid ${type.name}`);
    return;
  }
  const fields = type.getFields();
  for (const [name, one] of Object.entries(fields)) {
    if (Object.hasOwn(value, name)) checkValue(Reflect.get(value, name), one.type, `${field}.${name}`, found);
    else if (isRequiredInputField(one)) tell(found, `${field}.${name}`, 'is required');
  }
  const unknown = Object.keys(value).filter((key) => !(key in fields));
  for (const key of unknown.slice(0, maxUnknownFields))
    tell(found, `${field}.${key.slice(0, maxFieldNameLength)}`, `is not a field of ${type.name}`);
  if (unknown.length > maxUnknownFields) tell(found, field, `has ${unknown.length} fields that ${type.name} has not`);
}

function checkLeaf(value: unknown, type: GraphQLLeafType, field: string, found: Check): void {
  if (typeof value === 'string' && !isStorable(value)) tell(found, field, 'must not hold NUL or lone surrogates');
  else if (typeof value === 'string' && value.length > maxTextLength)
    tell(found, field, `must be at most ${maxTextLength} characters`);
  else if (type.name === jsonScalar && isTooDeep(value, maxJsonDepth, found))
    tell(found, field, `must be at most ${maxJsonDepth} levels deep`);
  else if (typeof value === 'object' && type.name !== jsonScalar) tell(found, field, `must be a valid ${type.name}`);
  else if (found.parsesLeaves && !canParse(value, type)) tell(found, field, `must be a valid ${type.name}`);
}

/** What JSON holds is the rooms' to check, once it is no deeper than their recursion may go. */
function isTooDeep(value: unknown, levels: number, found: Check): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
  found.values += inner.length;
  return inner.some((one) => isTooDeep(one, levels - 1, found));
}

function canParse(value: unknown, type: GraphQLLeafType): boolean {
  try {
    return type.parseValue(value) !== undefined;
  } catch {
    return false; // A scalar says by throwing that the value is none of its own, in words that repeat the value.
  }
}

function tell({ problems }: Check, field: string, message: string): void {
  if (problems.length < maxProblems) problems.push({ field, message });
}
