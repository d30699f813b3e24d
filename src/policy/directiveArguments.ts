import { type DirectiveNode, type GraphQLSchema, getArgumentValues } from 'graphql';

/** Notes a problem of the SDL at its place: `Query.task`, `type Task`. */
export type Tell = (place: string, text: string) => void;

/** The coerced arguments of a directive; a value that does not fit, an unknown role say, is a problem. */
export function directiveArguments(
  schema: GraphQLSchema,
  node: DirectiveNode,
  place: string,
  tell: Tell,
): Record<string, unknown> | null {
  const name = node.name.value;
  const directive = schema.getDirective(name);
  if (!directive) {
    tell(place, `@${name} is not defined`);
    return null;
  }
  try {
    const values = getArgumentValues(directive, node);
    for (const [argument, value] of Object.entries(values))
      if (value === null) tell(place, `@${name}(${argument}) must not be null`);
    return values;
  } catch (error) {
    tell(place, `@${name}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
