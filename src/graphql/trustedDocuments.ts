import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { z } from 'zod';
import { maxTokens } from './documentLimits.ts';

const hashShape = /^[0-9a-f]{64}$/;

/** The texts of documents by their SHA-256, in hex. */
export type TrustedDocuments = ReadonlyMap<string, string>;

type Entry = z.infer<typeof entry>;

const entry = z.object({
  id: z.string(),
  name: z.string(),
  type: z.enum(OperationTypeNode),
  body: z.string(),
});

const manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.unknown()),
});

/** Whether the text could be the SHA-256 of a document, as we and Apollo write it. */
export function isDocumentHash(text: string): boolean {
  return hashShape.test(text);
}

/**
 * The documents of a manifest in Apollo's format. Each has one operation, of the name and type that stand beside it, and
 * is valid in the schema; otherwise rejects with all that is wrong in the file.
 */
export async function readTrustedDocuments(file: string, schema: GraphQLSchema): Promise<TrustedDocuments> {
  const { documents, problems } = parseManifest(await readText(file), schema);
  if (problems.length === 0) return documents;
  throw new Error(`The file of TRUSTED_DOCUMENTS is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error('The file of TRUSTED_DOCUMENTS cannot be read.', { cause });
  }
}

function parseManifest(text: string, schema: GraphQLSchema): { documents: TrustedDocuments; problems: string[] } {
  const documents = new Map<string, string>();
  const parsed = manifest.safeParse(fromJson(text));
  if (!parsed.success) return { documents, problems: parsed.error.issues.map(describeHead) };
  const problems = parsed.data.operations.flatMap((operation, index) => {
    const read = entry.safeParse(operation);
    const found = read.success
      ? entryProblems(read.data, documents, schema)
      : read.error.issues.map(({ path }) => `${path.join('.') || 'the entry'} is missing or of the wrong kind`);
    if (read.success) documents.set(read.data.id, read.data.body);
    return found.map((problem) => `operation ${index + 1}${read.success ? ` (${read.data.name})` : ''}: ${problem}`);
  });
  return { documents, problems };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeHead({ path: [field] }: z.core.$ZodIssue): string {
  if (field === 'format') return 'its format must be apollo-persisted-query-manifest';
  if (field === 'version') return 'its version must be 1';
  if (field === 'operations') return 'its operations must be a list';
  return 'it must be a JSON object';
}

function entryProblems({ id, name, type, body }: Entry, before: TrustedDocuments, schema: GraphQLSchema): string[] {
  return [
    ...(id === hashOf(body) ? [] : ['its id is not the SHA-256 of its body']),
    ...(before.has(id) ? ['its id stands above already'] : []),
    ...bodyProblems(body, name, type, schema),
  ];
}

function bodyProblems(body: string, name: string, type: OperationTypeNode, schema: GraphQLSchema): string[] {
  const document = parseBody(body);
  if (document instanceof Error) return [document.message];
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation = getOperationAST(document);
  const isAsNamed = operation?.name?.value === name && operation.operation === type;
  return [
    ...(operations.length === 1 ? [] : ['its body must have exactly one operation']),
    ...(operations.length !== 1 || isAsNamed ? [] : ['its name and type are not those of its operation']),
    ...validate(schema, document, specifiedRules).map(({ message }) => message),
  ];
}

function parseBody(body: string): DocumentNode | Error {
  try {
    return parse(body, { maxTokens });
  } catch (error) {
    return error instanceof Error ? error : new Error('its body cannot be read');
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
