import { type DocumentNode, Kind, type OperationDefinitionNode, type SelectionSetNode, visit } from 'graphql';
import { InputError, type NexusError, OperationTooDeepError, TooManyAliasesError } from '../errors.ts';
import { fragmentsOf } from '../policy/operation.ts';
import { isStorable } from './input.ts';

/** Checked by the parser. */
export const maxTokens = 2000;
const maxDepth = 10;
const maxAliases = 15;

type Size = { depth: number; aliases: number };

/**
 * Why a validated operation is too much; null where it is not. Fields of the introspection are free of the depth, which
 * graphql-js bounds by a rule of its own. Depends on the text alone: cache the answer by operation.
 */
export function documentProblem(document: DocumentNode, operation: OperationDefinitionNode): NexusError | null {
  const { depth, aliases } = measure(document, operation);
  if (depth > maxDepth) return new OperationTooDeepError(maxDepth);
  if (aliases > maxAliases) return new TooManyAliasesError(maxAliases);
  return literalProblem(document);
}

/** Each fragment is measured once and counted as often as it is spread. */
function measure(document: DocumentNode, operation: OperationDefinitionNode): Size {
  const fragments = fragmentsOf(document);
  const measured = new Map<string, Size>();

  const measureFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    const size = fragment ? measureSelections(fragment.selectionSet) : { depth: 0, aliases: 0 };
    measured.set(name, size);
    return size;
  };
  const measureSelections = (selectionSet: SelectionSetNode | undefined): Size => {
    const size = { depth: 0, aliases: 0 };
    for (const node of selectionSet?.selections ?? []) {
      const isField = node.kind === Kind.FIELD;
      const inner =
        node.kind === Kind.FRAGMENT_SPREAD ? measureFragment(node.name.value) : measureSelections(node.selectionSet);
      const isIntrospection = isField && node.name.value.startsWith('__');
      size.depth = Math.max(size.depth, isIntrospection ? 1 : inner.depth + (isField ? 1 : 0));
      size.aliases += inner.aliases + (isField && node.alias ? 1 : 0);
    }
    return size;
  };
  return measureSelections(operation.selectionSet);
}

/** Texts in the document that Postgres cannot store. */
function literalProblem(document: DocumentNode): NexusError | null {
  let isBad = false;
  visit(document, {
    StringValue: ({ value }) => {
      isBad ||= !isStorable(value);
    },
  });
  return isBad ? new InputError([{ field: 'query', message: 'must not hold NUL or lone surrogates in a text' }]) : null;
}
