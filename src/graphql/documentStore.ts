import { type DocumentNode, TokenKind } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Of tokens, which have some 300 bytes in memory each with their nodes: a flood of large documents stays under 30 MB. */
const maxWeight = 100_000;
const charactersPerToken = 100;

/** Apollo's cache of parsed and validated documents, bounded by what they are in memory and not by their JSON. */
export function createDocumentStore() {
  const documents = new LRUCache<string, DocumentNode>({ maxSize: maxWeight, sizeCalculation: weightOf });
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}

/** Comments are tokens too, which the parser does not count. */
function weightOf({ loc }: DocumentNode): number {
  let weight = 1 + Math.ceil((loc?.source.body.length ?? 0) / charactersPerToken);
  for (let token = loc?.startToken; token && token.kind !== TokenKind.EOF; token = token.next ?? undefined) weight++;
  return weight;
}
