import type { GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { OperationRequest } from './admission.ts';
import { type Condition, compileFormula, type Formula, type PricedField, type PricedThing } from './formula.ts';
import type { RawVariables } from './operation.ts';
import { readWeights } from './weights.ts';

const costOfUnit = 100;
const maxLines = 200;
const inheritedNames: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** What one field of the answer costs, over all the objects that it stands in. */
export type PriceLine = { path: string; cost: number };

/** The price of an operation with its variables: an upper bound of what its answer costs. */
export type Price = {
  /** The largest safe integer where the operation is too large to have a price. */
  cost: number;
  /** The units of quota that it consumes: one for each begun 100 of the cost, or more by @quota; at least 1, free ones 0. */
  units: number;
  /** Whether it selects nothing but the introspection and root fields with @cost(weight: 0). */
  isFree: boolean;
  /** What each field costs, without those that cost nothing; sums up to the cost, in at most 200 lines. */
  breakdown(): PriceLine[];
  /** What was answered costs, by the same weights; never more than the cost. */
  actual(data: unknown): number;
  /** The units of quota that an answer of this cost consumes; never more than `units`. */
  unitsOf(actual: number): number;
};

/** Prices operations. */
export type Pricing = { priceOf(request: OperationRequest): Price };

/** Prices operations by the weights of the SDL. What does not depend on variables is worked out once for an operation. */
export function createPricing(schema: GraphQLSchema): Pricing {
  const prices = readWeights(schema, (place, text) => {
    throw new Error(`${place} ${text}`);
  });
  const formulas = new WeakMap<OperationDefinitionNode, Formula | null>();

  const formulaOf = (request: OperationRequest): Formula | null => {
    const known = formulas.get(request.operation);
    if (known !== undefined) return known;
    const formula = compileFormula(schema, prices, request);
    formulas.set(request.operation, formula);
    return formula;
  };

  return {
    priceOf: (request) => {
      const formula = formulaOf(request);
      return formula ? new FormulaPrice(formula, request.variables) : unpriceable;
    },
  };
}

const unpriceable: Price = {
  cost: Number.MAX_SAFE_INTEGER,
  units: Number.MAX_SAFE_INTEGER,
  isFree: false,
  breakdown: () => [{ path: '', cost: Number.MAX_SAFE_INTEGER }],
  actual: () => 0,
  unitsOf: () => 1,
};

class FormulaPrice implements Price {
  readonly cost: number;
  readonly units: number;
  readonly isFree: boolean;
  readonly #fields: readonly PricedField[];
  readonly #variables: RawVariables;
  readonly #unmet: Condition;

  constructor({ fields, unmetBy }: Formula, variables: RawVariables) {
    this.#variables = variables;
    this.#unmet = unmetBy(variables);
    this.#fields = fields.filter((field) => this.#isIncluded(field));
    this.cost = this.#sum(this.#fields);
    this.isFree = this.#fields.length > 0 && this.#fields.every(({ isFree }) => isFree);
    this.units = this.unitsOf(this.cost);
  }

  breakdown(): PriceLine[] {
    const lines: PriceLine[] = [];
    for (const field of this.#fields) this.#addLines(field, '', 1, lines);
    return shorten(lines);
  }

  actual(data: unknown): number {
    return Math.min(actualOf(this.#fields, data), this.cost);
  }

  unitsOf(cost: number): number {
    if (this.isFree) return 0;
    const quota = this.#fields.reduce((sum, { units }) => sum + (units?.(this.#variables) ?? 0), 0);
    return Math.max(1, Math.ceil(cost / costOfUnit), quota);
  }

  #isIncluded({ conditions }: PricedField): boolean {
    return conditions === null || conditions.some((condition) => (condition & this.#unmet) === 0n);
  }

  #sum(fields: readonly PricedField[]): number {
    let sum = 0;
    for (const field of fields) if (this.#isIncluded(field)) sum = plus(sum, this.#costOf(field));
    return sum;
  }

  #costOf(field: PricedField): number {
    const { once, things } = field;
    if (things.length === 0) return once;
    const count = this.#countOf(field);
    return count === 0 ? once : plus(once, times(count, this.#dearest(things).cost));
  }

  /** How many things one call returns at most. */
  #countOf({ listDepth, size }: PricedField): number {
    let count = 1;
    for (let depth = 0; depth < listDepth; depth += 1) count = times(count, size(this.#variables));
    return count;
  }

  #dearest(things: readonly PricedThing[]): { thing: PricedThing | undefined; cost: number } {
    let dearest: { thing: PricedThing | undefined; cost: number } = { thing: undefined, cost: 0 };
    for (const thing of things) {
      const cost = plus(thing.each, this.#sum(thing.fields));
      if (cost > dearest.cost) dearest = { thing, cost };
    }
    return dearest;
  }

  #addLines(field: PricedField, prefix: string, parents: number, lines: PriceLine[]): void {
    if (!this.#isIncluded(field)) return;
    const path = `${prefix}${field.key}`;
    const count = times(parents, this.#countOf(field));
    const { thing } = this.#dearest(field.things);
    const cost = plus(times(parents, field.once), times(count, thing?.each ?? 0));
    if (cost > 0) lines.push({ path, cost });
    for (const inner of thing?.fields ?? []) this.#addLines(inner, `${path}.`, count, lines);
  }
}

/** The lines that cost most, in their order; the others are one line. */
function shorten(lines: readonly PriceLine[]): PriceLine[] {
  if (lines.length <= maxLines) return [...lines];
  const kept = new Set([...lines].sort((one, other) => other.cost - one.cost).slice(0, maxLines - 1));
  const rest = lines.reduce((sum, line) => (kept.has(line) ? sum : plus(sum, line.cost)), 0);
  return [...lines.filter((line) => kept.has(line)), { path: '…', cost: rest }];
}

function actualOf(fields: readonly PricedField[], data: unknown): number {
  if (fields.length === 0 || typeof data !== 'object' || data === null) return 0;
  let sum = 0;
  for (const field of fields) {
    const value = isInherited(data, field.key) ? undefined : (data as Record<string, unknown>)[field.key];
    if (value !== undefined) sum += field.once + actualOfValue(field.things, value, field.listDepth);
  }
  return sum;
}

/** An answer may inherit from Object, whose names a client may use as aliases. */
function isInherited(data: object, key: string): boolean {
  return inheritedNames.has(key) && !Object.hasOwn(data, key);
}

function actualOfValue(things: readonly PricedThing[], value: unknown, listDepth: number): number {
  if (value === null || value === undefined || things.length === 0) return 0;
  if (listDepth === 0) return actualOfThing(things, value);
  let sum = 0;
  if (Array.isArray(value)) for (const element of value) sum += actualOfValue(things, element, listDepth - 1);
  return sum;
}

/** Where the answer does not name its type, it is the dearest one that it can be. */
function actualOfThing(things: readonly PricedThing[], value: unknown): number {
  let dearest = 0;
  for (const thing of things)
    if (isPossible(thing, value)) dearest = Math.max(dearest, thing.each + actualOf(thing.fields, value));
  return dearest;
}

function isPossible({ typenameKeys, typeName }: PricedThing, value: unknown): boolean {
  for (const key of typenameKeys) {
    const name = (value as Record<string, unknown>)[key];
    if (typeof name === 'string' && name !== typeName) return false;
  }
  return true;
}

function plus(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}

function times(one: number, other: number): number {
  return Math.min(one * other, Number.MAX_SAFE_INTEGER);
}
