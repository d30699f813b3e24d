import {
  type DocumentNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import type { Context } from '../context.ts';
import { NexusError } from '../errors.ts';
import type { PolicyGuards } from './guards.ts';
import {
  type GuardedSelection,
  isConditional,
  type OperationFields,
  type RawVariables,
  rawArguments,
  selectedFields,
} from './operation.ts';

/** What is asked for, before it runs. */
export type OperationRequest = { document: DocumentNode; operation: OperationDefinitionNode; variables: RawVariables };

type RefusedSelection = { selection: GuardedSelection; error: NexusError };
type Admit = (request: OperationRequest, ctx: Context) => Promise<NexusError | null>;

/**
 * Decides before anything runs; null lets the operation in. A bad credential refuses everything. A mutation with one
 * field that the caller may not call is refused as a whole, a query where it may call none of the root fields; what only
 * the objects can tell is left to the fields.
 */
export function createAdmission(schema: GraphQLSchema, guards: PolicyGuards): Admit {
  const unconditional = new WeakMap<OperationDefinitionNode, OperationFields>();

  const fieldsOf = ({ document, operation, variables }: OperationRequest): OperationFields => {
    const known = unconditional.get(operation);
    if (known) return known;
    const fields = selectedFields(schema, guards, document, operation, variables);
    if (!isConditional(document)) unconditional.set(operation, fields);
    return fields;
  };

  return async (request, ctx) => {
    const { guarded, rootNodes } = fieldsOf(request);
    if (ctx.refusal) {
      const error = ctx.refusal;
      const roots = guarded.filter(({ isRoot }) => isRoot);
      note(
        schema,
        roots.map((selection) => ({ selection, error })),
        request,
        ctx,
      );
      return error;
    }
    const isQuery = request.operation.operation === 'query';
    const refused = await refusedSelections(isQuery ? guarded.filter(({ isRoot }) => isRoot) : guarded, request, ctx);
    const [first] = refused;
    const isRefused = isQuery ? refused.length === rootNodes.length : refused.length > 0;
    if (!first || !isRefused) return null;
    note(schema, refused, request, ctx);
    return first.error;
  };
}

async function refusedSelections(selections: readonly GuardedSelection[], request: OperationRequest, ctx: Context) {
  const refused: RefusedSelection[] = [];
  for (const selection of selections) {
    const error = await earlyRefusal(selection, request, ctx);
    if (error) refused.push({ selection, error });
  }
  return refused;
}

async function earlyRefusal({ guards, node }: GuardedSelection, request: OperationRequest, ctx: Context) {
  for (const guard of guards.auth) {
    if (guard.isKnownToPass(ctx)) continue;
    const verdict = await guard.early(() => rawArguments(node, request.operation, request.variables), ctx);
    if (verdict instanceof NexusError) return verdict;
    if (verdict instanceof Error) throw verdict;
  }
  return null;
}

/** Remembers refusals for the audit log, with what the fields would have got as their arguments. */
function note(
  schema: GraphQLSchema,
  refused: readonly RefusedSelection[],
  { operation, variables }: OperationRequest,
  ctx: Context,
): void {
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
  for (const { selection, error } of refused) {
    const { guards, node } = selection;
    // In variables that do not fit, the paths of @audit(redact) would miss what is secret.
    const args = coerced ? coercedArguments(schema, selection, coerced) : {};
    ctx.refusals.note(guards.policy, args, error, [node.alias?.value ?? node.name.value]);
  }
}

function coercedArguments(schema: GraphQLSchema, { guards, node }: GuardedSelection, variables: RawVariables) {
  const [typeName = ''] = guards.policy.coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[node.name.value] : undefined;
  try {
    return field ? getArgumentValues(field, node, variables) : {};
  } catch {
    return {}; // A null where a value must be: the field would not have run either.
  }
}
