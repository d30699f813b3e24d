import fc from 'fast-check';
import {
  buildASTSchema,
  concatAST,
  execute,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { createPricing, type Price } from '../../src/policy/price.ts';
import { readDocuments } from '../../src/schema.ts';
import { documentsOf } from './guardSdl.ts';
import { priceLaboratory } from './priceLaboratory.ts';
import { type Choose, chooseFrom, randomOperation } from './randomOperations.ts';

const runs = 1000;
const tapeLength = 400;
/** What costs more is not answered with full lists. */
const maxFullCost = 3000;

const nexus = buildASTSchema(concatAST(readDocuments()));
const laboratory = buildASTSchema(concatAST(documentsOf(priceLaboratory)));

type Sizes = Record<string, number>;
type Thing = { __typename: string; sizes: Sizes };
type Ledger = { schema: GraphQLSchema; choose: Choose; isFull: boolean; cost: number };
type Args = Record<string, unknown>;

/** Answers anything within the bounds of the SDL, and counts what it answers by the weights of the SDL. */
const answer: GraphQLFieldResolver<Partial<Thing>, Ledger> = (source, args, ledger, info) => {
  const own = valuesOf(ledger.schema, info, 'listSize');
  const size = source?.sizes?.[info.fieldName] ?? (own?.sizedFields ? null : sizeBy(own, args));
  const sizes: Sizes = {};
  const named = getNamedType(info.returnType);
  if (named.name.endsWith('Connection')) sizes.edges = Math.min(Math.max(0, (args.first as number | null) ?? 20), 100);
  const inner = sizeBy(own, args);
  for (const name of (own?.sizedFields ?? []) as string[]) if (inner !== null) sizes[name] = inner;
  const isMutation = info.parentType === ledger.schema.getMutationType();
  const cost = costOf(ledger.schema, info);
  if (isMutation) ledger.cost += cost ?? 10;
  const each = isMutation && cost !== null ? 0 : cost;
  return valueFor(info.returnType, { ledger, size: size ?? 0, sizes, each });
};

type Wanted = { ledger: Ledger; size: number; sizes: Sizes; each: number | null };

function valueFor(type: GraphQLOutputType, wanted: Wanted): unknown {
  const { ledger, size, sizes, each } = wanted;
  if (!ledger.isFull && !isNonNullType(type) && ledger.choose(6) === 5) return null;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const length = ledger.isFull ? size : Math.min(size, ledger.choose(4));
    return Array.from({ length }, () => valueFor(nullable.ofType, wanted));
  }
  if (isObjectType(nullable) || isAbstractType(nullable)) {
    const possible = isObjectType(nullable) ? [nullable] : ledger.schema.getPossibleTypes(nullable);
    const one = possible[ledger.choose(possible.length)] ?? possible[0];
    const isRoot = one === ledger.schema.getQueryType();
    const weight = [one?.astNode, ...(one?.extensionASTNodes ?? [])].flatMap((node) => weightOf(ledger.schema, node));
    ledger.cost += each ?? (isRoot ? 0 : (weight[0] ?? 1));
    return { __typename: one?.name, sizes };
  }
  ledger.cost += each ?? 0;
  return isEnumType(nullable) ? nullable.getValues()[0]?.value : 1;
}

/** The @cost of the field, else that of its interfaces. */
function costOf(schema: GraphQLSchema, { parentType, fieldName }: GraphQLResolveInfo): number | null {
  const owners = [parentType, ...parentType.getInterfaces()];
  const [cost] = owners.flatMap((type) => weightOf(schema, type.getFields()[fieldName]?.astNode));
  return cost ?? null;
}

function weightOf(schema: GraphQLSchema, node: Parameters<typeof getDirectiveValues>[1] | null | undefined): number[] {
  const cost = schema.getDirective('cost');
  const values = cost && node && getDirectiveValues(cost, node);
  return values ? [values.weight as number] : [];
}

function valuesOf(schema: GraphQLSchema, { parentType, fieldName }: GraphQLResolveInfo, name: string) {
  const directive = schema.getDirective(name);
  const node = parentType.getFields()[fieldName]?.astNode;
  return directive && node ? getDirectiveValues(directive, node) : undefined;
}

function sizeBy(listSize: Args | undefined, args: Args): number | null {
  const values = ((listSize?.slicingArguments ?? []) as string[])
    .map((name) => args[name])
    .filter((one) => one != null);
  const sizes = values.map((value) => (Array.isArray(value) ? value.length : Math.max(0, value as number)));
  return sizes.length > 0 ? Math.max(...sizes) : ((listSize?.assumedSize as number | undefined) ?? null);
}

type Run = { price: Price; query: string; answer(isFull: boolean): { counted: number; data: unknown } };

function runOf(schema: GraphQLSchema, pricing: ReturnType<typeof createPricing>, tape: readonly number[]): Run {
  const choose = chooseFrom(tape);
  const { query, variables } = randomOperation(schema, choose);
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const operation = document.definitions.find(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operation) throw new Error('There is no operation.');
  return {
    query,
    price: pricing.priceOf({ document, operation, variables }),
    answer: (isFull) => {
      const ledger: Ledger = { schema, choose, isFull, cost: 0 };
      const result = execute({
        schema,
        document,
        variableValues: variables,
        contextValue: ledger,
        rootValue: {},
        fieldResolver: answer,
        typeResolver: (value: Thing) => value.__typename,
      });
      if (result instanceof Promise) throw new Error('Nothing here waits.');
      expect(result.errors).toBeUndefined();
      return { counted: ledger.cost, data: result.data };
    },
  };
}

function checkRuns(schema: GraphQLSchema, check: (run: Run) => void): void {
  const pricing = createPricing(schema);
  const tapes = fc.array(fc.nat({ max: 2 ** 30 }), { minLength: tapeLength / 2, maxLength: tapeLength });
  // A tape of hundreds of numbers takes minutes to shorten: whoever needs that runs its seed without this option.
  fc.assert(
    fc.property(tapes, (tape) => check(runOf(schema, pricing, tape))),
    { numRuns: runs, endOnFailure: true },
  );
}

function sumOf(price: Price): number {
  return price.breakdown().reduce((sum, { cost }) => sum + cost, 0);
}

test('what Nexus answers to random operations costs no more than its price, and full lists cost all of it', () => {
  let full = 0;
  let paid = 0;
  checkRuns(nexus, (run) => {
    const { cost } = run.price;
    expect(sumOf(run.price)).toBe(cost);
    expect(run.price.breakdown().length).toBeLessThanOrEqual(200);
    const { counted, data } = run.answer(false);
    expect(counted).toBeLessThanOrEqual(cost);
    expect(run.price.actual(data)).toBe(counted);
    if (counted > 5) paid += 1;
    if (cost > maxFullCost) return;
    const { counted: all, data: everything } = run.answer(true);
    expect(all).toBeLessThanOrEqual(cost);
    expect(run.price.actual(everything)).toBe(all);
    if (all === cost) full += 1; // Else it has a connection without its edges, whose rows are paid all the same.
  });
  expect(full).toBeGreaterThan(runs / 3);
  expect(paid).toBeGreaterThan(runs / 3);
});

test('what interfaces, unions, weights and lists of lists answer costs no more than the price', () => {
  let full = 0;
  checkRuns(laboratory, (run) => {
    const { cost } = run.price;
    expect(sumOf(run.price)).toBe(cost);
    for (const isFull of cost > maxFullCost ? [false] : [false, true]) {
      const { counted, data } = run.answer(isFull);
      expect(counted).toBeLessThanOrEqual(cost);
      expect(run.price.actual(data)).toBeGreaterThanOrEqual(counted);
      expect(run.price.actual(data)).toBeLessThanOrEqual(cost);
      if (isFull) full += 1;
    }
  });
  expect(full).toBeGreaterThan(runs / 3);
});
