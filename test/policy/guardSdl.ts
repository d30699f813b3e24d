import type { IResolvers } from '@graphql-tools/utils';
import { type DocumentNode, parse, Source } from 'graphql';
import { scalars } from '../../src/graphql/scalars.ts';
import { type GuardedSchema, guardSchema, readDocuments } from '../../src/schema.ts';

const sharedFiles = new Set(['schema/directives.graphql', 'schema/common.graphql']);

/** Guards a small SDL beside Nexus's own directives and scalars, by the function that guards Nexus's schema. */
export function guardSdl(sdl: string, resolvers: IResolvers = stubsOf(parse(sdl))): GuardedSchema {
  return guardSchema(documentsOf(sdl), [scalars, resolvers]);
}

/** The small SDL with what it stands on. */
export function documentsOf(sdl: string): DocumentNode[] {
  const shared = readDocuments().filter(({ loc }) => sharedFiles.has(loc?.source.name ?? ''));
  return [...shared, parse(new Source(sdl, 'laboratory.graphql'))];
}

/** A resolver for each root field of the document. */
export function stubsOf(document: DocumentNode): IResolvers {
  const roots = document.definitions.flatMap((definition) =>
    'fields' in definition && /^(Query|Mutation|Subscription)$/.test(definition.name.value) ? [definition] : [],
  );
  return Object.fromEntries(
    roots.map(({ name, fields }) => [
      name.value,
      Object.fromEntries(
        (fields ?? []).map((field) => [
          field.name.value,
          name.value === 'Subscription' ? { subscribe: () => null } : () => null,
        ]),
      ),
    ]),
  );
}
