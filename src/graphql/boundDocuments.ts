import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from 'graphql';
import type { NexusError } from '../errors.ts';
import { documentProblem } from './documentLimits.ts';

/** What a refused document is kept for: its operations have a place in the log. */
type Refused = { problem: NexusError; operations: Pick<OperationDefinitionNode, 'name' | 'operation'>[] };

/** A document that was too much, and which of its operations was meant. */
export type RefusedDocument = { problem: NexusError; operation: Refused['operations'][number] | undefined };

export type BoundDocuments = {
  /**
   * Looks at what the parser has just made. One that is too much is replaced by one that costs nothing, since validation,
   * which cannot be refused by a hook of Apollo, is what a hostile document is made for.
   */
  bound(request: { readonly document?: DocumentNode }): void;
  /** What was wrong with the document that this one stands for; null where it stands for none. */
  refusedOf(document: DocumentNode, operationName: string | null | undefined): RefusedDocument | null;
};

const maxNamedOperations = 50;

/** Bounds documents before they are validated; the verdict lives as long as the stand-in, in Apollo's cache for example. */
export function createBoundDocuments(): BoundDocuments {
  const refused = new WeakMap<DocumentNode, Refused>();
  return {
    bound: (request) => {
      const { document } = request;
      const problem = document && documentProblem(document);
      if (!problem) return;
      // The names below hold on to the text, so the cache has to weigh that too.
      const standIn = { ...parse('{ __typename }', { noLocation: true }), loc: document.loc };
      refused.set(standIn, { problem, operations: operationsOf(document) });
      Object.assign(request, { document: standIn });
    },
    refusedOf: (document, operationName) => {
      const found = refused.get(document);
      if (!found) return null;
      const { problem, operations } = found;
      const named = operations.find(({ name }) => operationName && name?.value === operationName);
      return { problem, operation: named ?? (operations.length === 1 ? operations[0] : undefined) };
    },
  };
}

function operationsOf({ definitions }: DocumentNode): Refused['operations'] {
  return (
    definitions
      .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
      // Without its nodes, which hold on to the whole document.
      .map(({ name, operation }) => ({ name: name && { kind: name.kind, value: name.value }, operation }))
      .slice(0, maxNamedOperations)
  );
}
