import { type DocumentNode, type FieldNode, Kind, type SelectionNode, type SelectionSetNode, visit } from 'graphql';
import { InputError, NexusError, OperationTooDeepError, TooManyAliasesError } from '../errors.ts';
import { fragmentsOf } from '../policy/operation.ts';
import { isStorable } from './input.ts';

/** Checked by the parser. */
export const maxTokens = 2000;
const maxDepth = 10;
/** The standard introspection is 15 levels deep. */
const maxIntrospectionDepth = 20;
/** Selection sets inside each other, those of inline fragments too: what a walk through the document may recurse. */
const maxNesting = 40;
const maxAliases = 15;
const maxLogins = 1;
const maxRootFields = 20;
const maxSchemaReads = 2;
/** With each fragment counted as often as it is spread. */
const maxFields = 1000;
const maxDirectives = 50;
const maxOperations = 50;
const maxFragments = 100;
const maxSpreads = 100;
const maxVariables = 100;
/** graphql-js compares fields with the same response name two by two: so many twos. */
const maxTwins = 5000;
/** graphql-js counts the lines before each node that an error speaks of, one by one and anew for each. */
const maxLines = 2000;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];

const maxTextLength = 128 * 1024;

type Size = {
  depth: number;
  introspectionDepth: number;
  nesting: number;
  aliases: number;
  fields: number;
  schemaReads: number;
  /** Of the selection set alone, not of those inside its fields. */
  topFields: number;
  logins: number;
};

const nothing: Size = {
  depth: 0,
  introspectionDepth: 0,
  nesting: 0,
  aliases: 0,
  fields: 0,
  schemaReads: 0,
  topFields: 0,
  logins: 0,
};

/**
 * Why a document is too much; null where it is not. Made for documents that nobody has validated yet, which cost
 * graphql-js far more than this: linear in the length of the document, whatever its fragments do. Depends on the text alone.
 */
export function documentProblem(document: DocumentNode): NexusError | null {
  const sizes = measure(document);
  const largest = (of: keyof Size) => Math.max(0, ...sizes.map((size) => size[of]));
  if (largest('depth') > maxDepth) return new OperationTooDeepError(maxDepth);
  const tooDeep = depthProblem(largest);
  if (tooDeep) return tooDeep;
  if (largest('aliases') > maxAliases) return new TooManyAliasesError(maxAliases);
  if (largest('logins') > maxLogins) return new NexusError('TOO_MANY_ALIASES', 'A request logs in once.');
  return widthProblem(document, largest) ?? literalProblem(document);
}

function depthProblem(largest: (of: keyof Size) => number): NexusError | null {
  const message =
    largest('introspectionDepth') > maxIntrospectionDepth
      ? `An introspection is at most ${maxIntrospectionDepth} levels deep.`
      : `Selection sets are nested at most ${maxNesting} deep, those of inline fragments included.`;
  const isTooDeep = largest('introspectionDepth') > maxIntrospectionDepth || largest('nesting') > maxNesting;
  return isTooDeep ? new NexusError('OPERATION_TOO_DEEP', message) : null;
}

/** Tells all that there is too much of. */
function widthProblem(document: DocumentNode, largest: (of: keyof Size) => number): NexusError | null {
  const { operations, fragments, variables, directives, spreads, twins } = count(document);
  const lines = linesOf(document);
  const bounds: [found: number, max: number, message: string][] = [
    [largest('topFields'), maxRootFields, `An operation has at most ${maxRootFields} root fields.`],
    [
      largest('fields'),
      maxFields,
      `An operation has at most ${maxFields} fields, those of a fragment counted as often as it is spread.`,
    ],
    [
      largest('schemaReads'),
      maxSchemaReads,
      `An operation has __schema and __type at most ${maxSchemaReads} times together.`,
    ],
    [directives, maxDirectives, `A document has at most ${maxDirectives} directives.`],
    [operations, maxOperations, `A document has at most ${maxOperations} operations.`],
    [fragments, maxFragments, `A document has at most ${maxFragments} fragments.`],
    [spreads, maxSpreads, `A document spreads fragments at most ${maxSpreads} times.`],
    [variables, maxVariables, `A document has at most ${maxVariables} variables.`],
    [twins, maxTwins, 'A document repeats the same field too often.'],
    [lines, maxLines, `A document has at most ${maxLines} lines.`],
  ];
  const messages = bounds.flatMap(([found, max, message]) => (found > max ? [message] : []));
  return messages.length > 0 ? new NexusError('GRAPHQL_VALIDATION_FAILED', messages.join(' ')) : null;
}

/**
 * The size of each operation, and how deep each fragment is nested, which may be spread nowhere. Each fragment is measured once and counted
 * as often as it is spread; one that spreads itself counts as nothing there, because validation refuses it.
 */
function measure(document: DocumentNode): Size[] {
  const fragments = fragmentsOf(document);
  const measured = new Map<string, Size>();

  const measureFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known) return known;
    measured.set(name, nothing);
    const size = measureSelections(fragments.get(name)?.selectionSet);
    measured.set(name, size);
    return size;
  };
  const measureSelections = (selectionSet: SelectionSetNode | undefined): Size => {
    if (!selectionSet) return nothing;
    const size = { ...nothing };
    for (const node of selectionSet.selections) add(size, node, innerOf(node));
    size.nesting += 1;
    return size;
  };
  const innerOf = (node: SelectionNode) =>
    node.kind === Kind.FRAGMENT_SPREAD ? measureFragment(node.name.value) : measureSelections(node.selectionSet);

  return document.definitions.map((definition) => {
    if (definition.kind === Kind.OPERATION_DEFINITION) return measureSelections(definition.selectionSet);
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) return nothing;
    const { name, selectionSet } = definition;
    // Two of one name are refused later, and both are walked through until then.
    const isFound = fragments.get(name.value) === definition;
    const { nesting } = isFound ? measureFragment(name.value) : measureSelections(selectionSet);
    return { ...nothing, nesting };
  });
}

/** Fields of the introspection are free of the depth of others and have one of their own. */
function add(size: Size, node: SelectionNode, inner: Size): void {
  const isField = node.kind === Kind.FIELD;
  const isIntrospection = isField && node.name.value.startsWith('__');
  const depth = inner.depth + (isField ? 1 : 0);
  size.depth = Math.max(size.depth, isIntrospection ? 1 : depth);
  size.introspectionDepth = Math.max(size.introspectionDepth, inner.introspectionDepth, isIntrospection ? depth : 0);
  size.nesting = Math.max(size.nesting, inner.nesting);
  size.aliases += inner.aliases + (isField && node.alias ? 1 : 0);
  size.fields += inner.fields + (isField ? 1 : 0);
  size.schemaReads += inner.schemaReads + (isField && isSchemaRead(node) ? 1 : 0);
  size.topFields += isField ? 1 : inner.topFields;
  size.logins += isField ? Number(node.name.value === 'login') : inner.logins;
}

function isSchemaRead({ name }: FieldNode): boolean {
  return name.value === '__schema' || name.value === '__type';
}

/** What a document holds as it is written. */
function count(document: DocumentNode) {
  const counts = { operations: 0, fragments: 0, variables: 0, directives: 0, spreads: 0, twins: 0 };
  const seen = new Map<string, number>();
  visit(document, {
    OperationDefinition: () => void counts.operations++,
    FragmentDefinition: () => void counts.fragments++,
    VariableDefinition: () => void counts.variables++,
    Directive: () => void counts.directives++,
    FragmentSpread: () => void counts.spreads++,
    Field: ({ alias, name }) => {
      const key = (alias ?? name).value;
      const before = seen.get(key) ?? 0;
      counts.twins += before;
      seen.set(key, before + 1);
    },
  });
  return counts;
}

function linesOf({ loc }: DocumentNode): number {
  const text = loc?.source.body ?? '';
  let lines = 1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === lineFeed || (code === carriageReturn && text.charCodeAt(index + 1) !== lineFeed)) lines += 1;
  }
  return lines;
}

/** Texts in the document that Postgres cannot store, or that are longer than any that Nexus wants. */
function literalProblem(document: DocumentNode): NexusError | null {
  let isBad = false;
  let isLong = false;
  visit(document, {
    StringValue: ({ value }) => {
      isLong ||= value.length > maxTextLength;
      isBad ||= !isLong && !isStorable(value);
    },
  });
  if (isLong)
    return new InputError([{ field: 'query', message: `must hold texts of at most ${maxTextLength} characters` }]);
  return isBad ? new InputError([{ field: 'query', message: 'must not hold NUL or lone surrogates in a text' }]) : null;
}
