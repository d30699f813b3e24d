import { readFileSync } from 'node:fs';
import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, parse, print, visit } from 'graphql';
import type { Answer } from './app.ts';

const { definitions } = parse(readFileSync(new URL('../contract/operations.graphql', import.meta.url), 'utf8'));
const fragments = definitions.filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION);

/** One of the operations that existing clients send, with its fragments. */
export function operation(name: string): string {
  const found = definitions.find(
    (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION && node.name?.value === name,
  );
  if (!found) throw new Error(`Clients send no operation ${name}.`);
  const used = new Set<string>();
  visit(found, { FragmentSpread: (node) => void used.add(node.name.value) });
  return [found, ...fragments.filter((node) => used.has(node.name.value))].map(print).join('\n');
}

/** The codes of the errors of an answer, in their order. */
export function codesOf({ errors = [] }: Answer): unknown[] {
  return errors.map(({ extensions }) => extensions.code);
}

/** Which fields an answer complains of, in the order of their names. */
export function problemFieldsOf({ errors = [] }: Answer): string[] {
  return errors
    .flatMap(({ extensions }) => (extensions.problems ?? []).map(({ field }: { field: string }) => field))
    .sort();
}

type Page<Node> = {
  edges: { cursor?: string; node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
};

/** The nodes of all the pages of a connection, read one after another as a client does; `meanwhile` runs between them. */
export async function readPages<Node>(
  read: (after: string | null) => Promise<Page<Node>>,
  meanwhile?: () => Promise<unknown>,
): Promise<Node[]> {
  const nodes: Node[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < 1000; pages++) {
    const { edges, pageInfo }: Page<Node> = await read(after);
    nodes.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return nodes;
    if ((edges.at(-1)?.cursor ?? pageInfo.endCursor) !== pageInfo.endCursor)
      throw new Error('endCursor is not the cursor of the last edge.');
    after = pageInfo.endCursor;
    await meanwhile?.();
  }
  throw new Error('The pages do not end.');
}

/** All that an answer says but for what is left of the limits, which is less each time. */
export function saidBy({ status, data, errors }: Answer): Pick<Answer, 'status' | 'data' | 'errors'> {
  return { status, data, errors };
}
