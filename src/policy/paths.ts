import {
  type GraphQLArgument,
  type GraphQLNamedType,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { OwnerPath } from './table.ts';

type Roots = { args?: readonly GraphQLArgument[]; parent?: GraphQLNamedType; result: GraphQLNamedType };

/** The parsed owner path, or what is wrong with it. It must lead to a scalar through fields that exist. */
export function parseOwnerPath(text: string, roots: Roots): OwnerPath | string {
  const [root, ...segments] = text.split('.');
  if (root !== 'args' && root !== 'parent' && root !== 'result') return 'must begin with args, parent or result';
  if (segments.length === 0) return 'names no field';
  if (root === 'args' && !roots.args) return 'cannot look into arguments from a type';
  if (root === 'parent' && !roots.parent) return 'has no parent to look into';
  const problem =
    root === 'args'
      ? argumentPathProblem(segments.join('.'), roots.args ?? [])
      : outputPathProblem(segments, root === 'parent' ? roots.parent : roots.result);
  return problem ?? { root, segments, text };
}

/** What is wrong with a dotted path into the arguments of a field; null where it leads to a value, of the type if named. */
export function argumentPathProblem(path: string, args: readonly GraphQLArgument[], typeName?: string): string | null {
  const [first, ...rest] = path.split('.');
  const argument = args.find(({ name }) => name === first);
  if (!argument) return `leads nowhere: there is no argument "${first}"`;
  let type = getNamedType(argument.type);
  for (const segment of rest) {
    const field = isInputObjectType(type) ? type.getFields()[segment] : undefined;
    if (!field) return `leads nowhere: there is no "${segment}" in ${type.name}`;
    type = getNamedType(field.type);
  }
  if (typeName !== undefined && type.name !== typeName) return `leads to ${type.name}, not to ${typeName}`;
  return null;
}

function outputPathProblem(segments: readonly string[], start: GraphQLNamedType | undefined): string | null {
  const [segment, ...rest] = segments;
  if (segment === undefined) return start && isLeafType(start) ? null : 'does not lead to a scalar';
  if (isUnionType(start))
    return start.getTypes().reduce<string | null>((found, type) => found ?? outputPathProblem(segments, type), null);
  const field = isObjectType(start) || isInterfaceType(start) ? start.getFields()[segment] : undefined;
  if (!field) return `leads nowhere: there is no "${segment}" in ${start?.name ?? 'nothing'}`;
  return outputPathProblem(rest, getNamedType(field.type));
}

/**
 * Every value at the path; a list on the way stands for all its elements. A missing value is `undefined`, so that it can
 * never equal an id.
 */
export function valuesAt(value: unknown, segments: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, segments));
  const [segment, ...rest] = segments;
  if (segment === undefined) return [value];
  if (typeof value !== 'object' || value === null) return [undefined];
  return valuesAt(Object.hasOwn(value, segment) ? Reflect.get(value, segment) : undefined, rest);
}
