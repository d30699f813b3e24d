import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import type { FieldGuards, PolicyGuards } from './guards.ts';

/** The variables as they came, before coercion. */
export type RawVariables = Readonly<Record<string, unknown>>;

/** A field with a policy in an operation. Through an interface or union it stands once for each possible type. */
export type GuardedSelection = { guards: FieldGuards; node: FieldNode; isRoot: boolean };

/** The fields of an operation: those with a policy, and the names of all root fields. */
export type OperationFields = { guarded: readonly GuardedSelection[]; rootNodes: readonly FieldNode[] };

/**
 * Collects the fields that the operation selects. What @skip and @include leave out is left out; each fragment is read
 * once for each type, so the work is bounded by the document's length.
 */
export function selectedFields(
  schema: GraphQLSchema,
  guards: PolicyGuards,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: RawVariables,
): OperationFields {
  const guarded: GuardedSelection[] = [];
  const rootNodes: FieldNode[] = [];
  const fragments = fragmentsOf(document);
  const visited = new Set<string>();
  const values = declaredValues(operation, variables);

  const visit = (selectionSet: SelectionSetNode, type: GraphQLCompositeType, isRoot: boolean): void => {
    for (const node of selectionSet.selections) {
      if (!isIncluded(node.directives ?? [], values)) continue;
      if (node.kind === Kind.FIELD) visitField(node, type, isRoot);
      else if (node.kind === Kind.INLINE_FRAGMENT)
        visit(node.selectionSet, narrow(schema, type, node.typeCondition?.name.value), isRoot);
      else visitFragment(fragments.get(node.name.value), type, isRoot);
    }
  };
  const visitFragment = (fragment: FragmentDefinitionNode | undefined, type: GraphQLCompositeType, isRoot: boolean) => {
    const key = `${type.name} ${fragment?.name.value}`;
    if (!fragment || visited.has(key)) return;
    visited.add(key);
    visit(fragment.selectionSet, narrow(schema, type, fragment.typeCondition.name.value), isRoot);
  };
  const visitField = (node: FieldNode, type: GraphQLCompositeType, isRoot: boolean) => {
    if (isRoot) rootNodes.push(node);
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    for (const one of possible) {
      const found = guards.get(`${one.name}.${node.name.value}`);
      if (found) guarded.push({ guards: found, node, isRoot });
    }
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    const fieldType = field && getNamedType(field.type);
    if (node.selectionSet && isCompositeType(fieldType)) visit(node.selectionSet, fieldType, false);
  };

  const rootType = schema.getRootType(operation.operation);
  if (rootType) visit(operation.selectionSet, rootType, true);
  return { guarded, rootNodes };
}

/** The arguments of a field as the client sent them, before coercion and without defaults of the schema. */
export function rawArguments(node: FieldNode, operation: OperationDefinitionNode, variables: RawVariables) {
  const values = declaredValues(operation, variables);
  return Object.fromEntries(
    (node.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value, values)]),
  );
}

/** Whether what an operation selects depends on its variables. */
export function isConditional(document: DocumentNode): boolean {
  const search = (selectionSet: SelectionSetNode | undefined): boolean =>
    selectionSet?.selections.some(
      (node) =>
        node.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include') ||
        (node.kind !== Kind.FRAGMENT_SPREAD && search(node.selectionSet)),
    ) ?? false;
  return document.definitions.some((definition) => 'selectionSet' in definition && search(definition.selectionSet));
}

/** The fragments of a document by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
}

/** The type inside a fragment: never wider than the type around it. */
function narrow(
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  condition: string | undefined,
): GraphQLCompositeType {
  const target = condition === undefined ? type : schema.getType(condition);
  if (!isCompositeType(target)) return type;
  return isObjectType(type) ? type : target;
}

function isIncluded(directives: readonly DirectiveNode[], variables: RawVariables): boolean {
  return directives.every(({ name, arguments: args }) => {
    const condition = args?.[0] && valueFromASTUntyped(args[0].value, variables);
    if (name.value === 'skip') return condition !== true;
    if (name.value === 'include') return condition !== false;
    return true;
  });
}

/** What the declared variables hold, before coercion; all that is sent beside them is ignored. */
function declaredValues({ variableDefinitions = [] }: OperationDefinitionNode, variables: RawVariables): RawVariables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) => {
      const name = variable.name.value;
      if (Object.hasOwn(variables, name)) return [[name, variables[name]]];
      return defaultValue ? [[name, valueFromASTUntyped(defaultValue)]] : [];
    }),
  );
}
