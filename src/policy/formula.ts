import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { defaultPageSize, maxPageSize } from '../graphql/connection.ts';
import type { OperationRequest } from './admission.ts';
import { fragmentsOf, type RawVariables } from './operation.ts';
import type { ListSize, PriceTable } from './table.ts';
import { isEdges, isListArgument, listDepthOf, returnsConnection } from './weights.ts';

/** So many selections are read for one operation, fragments as often as they are spread. */
const maxSelections = 5_000;
/** Objects in objects, and fragments in fragments. */
const maxNesting = 200;
/** What is selected under more conditions than these is priced as if there were none. */
const maxConditions = 8;

/**
 * What must hold of variables, all of it, for a selection to be included. Each variable has two bits: it must not be
 * true (@skip), and it must not be false (@include). 0n: always.
 */
export type Condition = bigint;

/** A number that depends on the variables; null where they do not say. */
type Size = (variables: RawVariables) => number | null;

/** A field of the answer: all fields of one response key in one object, as execution merges them. */
export type PricedField = {
  key: string;
  /** Any of them is enough; null: always included. */
  conditions: readonly Condition[] | null;
  once: number;
  /** How many lists stand around what the field returns, each of them of `size`. */
  listDepth: number;
  size: (variables: RawVariables) => number;
  /** What it can return, each type in its own way; empty where that costs nothing. */
  things: readonly PricedThing[];
  isFree: boolean;
  /** Units of quota that a call consumes whatever it costs. */
  units: ((variables: RawVariables) => number) | null;
};

/** An object of one type, or a leaf with a weight. */
export type PricedThing = {
  typeName: string;
  each: number;
  /** The response keys that hold the name of the type. */
  typenameKeys: readonly string[];
  fields: readonly PricedField[];
};

/** The price of an operation before its variables are known; its size is bounded. */
export type Formula = {
  fields: readonly PricedField[];
  /** The conditions that these variables do not meet, as bits. */
  unmetBy(variables: RawVariables): Condition;
};

type Field = GraphQLField<unknown, unknown>;
type Part<Node> = { node: Node; condition: Condition };
type Scope = { sizes: ReadonlyMap<string, Size>; level: number };
type Selection = { groups: Map<string, Part<FieldNode>[]>; seen: Map<SelectionSetNode, Condition[]>; nesting: number };

/** Of rows that are not selected: no response key, so that no answer holds it. */
const rowsKey = '(rows)';

const noSizes: ReadonlyMap<string, Size> = new Map();

class TooManySelectionsError extends Error {}

/** The formula of an operation; null where it is too large to have one. */
export function compileFormula(
  schema: GraphQLSchema,
  prices: PriceTable,
  request: Pick<OperationRequest, 'document' | 'operation'>,
): Formula | null {
  try {
    return new FormulaCompiler(schema, prices, request).compile();
  } catch (error) {
    if (error instanceof TooManySelectionsError) return null;
    throw error;
  }
}

class FormulaCompiler {
  readonly #schema: GraphQLSchema;
  readonly #prices: PriceTable;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #defaults: ReadonlyMap<string, unknown>;
  readonly #conditionVariables: string[] = [];
  #selectionsLeft = maxSelections;

  constructor(schema: GraphQLSchema, prices: PriceTable, request: Pick<OperationRequest, 'document' | 'operation'>) {
    this.#schema = schema;
    this.#prices = prices;
    this.#operation = request.operation;
    this.#fragments = fragmentsOf(request.document);
    this.#defaults = new Map(
      (request.operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
        defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
      ),
    );
  }

  compile(): Formula {
    const { operation, selectionSet } = this.#operation;
    const type = this.#schema.getRootType(operation);
    const parts = [{ node: selectionSet, condition: 0n }];
    const fields = type ? this.#thing(type, 0, parts, { sizes: noSizes, level: 0 }).fields : [];
    const readers = this.#conditionVariables.map((name) => this.#variable(name));
    return { fields, unmetBy: (variables) => unmetBits(readers.map((read) => read(variables))) };
  }

  // --- what is selected ---------------------------------------------------------------------------------------------

  #thing(type: GraphQLObjectType, each: number, parts: readonly Part<SelectionSetNode>[], scope: Scope): PricedThing {
    if (scope.level > maxNesting) throw new TooManySelectionsError();
    const selection: Selection = { groups: new Map(), seen: new Map(), nesting: 0 };
    for (const { node, condition } of parts) this.#collect(type, node, condition, selection);
    const typenameKeys: string[] = [];
    const fields: PricedField[] = [];
    for (const [key, group] of selection.groups) {
      if (group[0]?.node.name.value === '__typename') typenameKeys.push(key);
      else fields.push(...this.#field(type, key, group, scope));
    }
    fields.push(...this.#unselectedRows(type, selection, scope));
    return { typeName: type.name, each, typenameKeys, fields };
  }

  /** A connection reads its rows also for whoever selects no `edges` of it, or does not always. */
  #unselectedRows(type: GraphQLObjectType, { groups }: Selection, { sizes }: Scope): PricedField[] {
    const rows = type.name.endsWith('Connection') ? sizes.get('edges') : undefined;
    const isSelected = [...groups.values()].some((group) =>
      group.some(({ node, condition }) => node.name.value === 'edges' && condition === 0n),
    );
    if (!rows || isSelected) return [];
    const things = [{ typeName: '', each: 1, typenameKeys: [], fields: [] }];
    const size: PricedField['size'] = (variables) => rows(variables) ?? maxPageSize;
    return [{ ...freeField(rowsKey, null), listDepth: 1, size, things, isFree: false }];
  }

  /** As execution collects fields (GraphQL specification, CollectFields), with conditions in place of variables. */
  #collect(type: GraphQLObjectType, selectionSet: SelectionSetNode, wanted: Condition, selection: Selection): void {
    const condition = admit(selection.seen, selectionSet, wanted);
    if (condition === null) return;
    if (selection.nesting > maxNesting) throw new TooManySelectionsError();
    selection.nesting += 1;
    for (const node of selectionSet.selections) {
      this.#spend();
      const own = this.#conditionOf(node.directives ?? []);
      if (own === null) continue;
      if (node.kind === Kind.FIELD) addTo(selection.groups, node, condition | own);
      else {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(node.name.value) : node;
        if (fragment && this.#applies(type, fragment.typeCondition?.name.value))
          this.#collect(type, fragment.selectionSet, condition | own, selection);
      }
    }
    selection.nesting -= 1;
  }

  #applies(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wide = this.#schema.getType(condition);
    return isAbstractType(wide) && this.#schema.isSubType(wide, type);
  }

  #spend(): void {
    this.#selectionsLeft -= 1;
    if (this.#selectionsLeft < 0) throw new TooManySelectionsError();
  }

  // --- fields -------------------------------------------------------------------------------------------------------

  /** The field with its price; nothing where it costs nothing, of a root type excepted. */
  #field(type: GraphQLObjectType, key: string, group: readonly Part<FieldNode>[], scope: Scope): PricedField[] {
    const [first] = group;
    if (!first) return [];
    const { node } = first;
    const conditions = anyOf(group.map(({ condition }) => condition));
    const isRoot = scope.level === 0;
    const field = type.getFields()[node.name.value];
    const price = this.#prices.fields.get(`${type.name}.${node.name.value}`);
    if (!field || !price) return isRoot ? [freeField(key, conditions)] : [];
    const { quota, once, each, isFree } = price;
    const things = this.#things(field, each, group, {
      ...scope,
      sizes: this.#sizesInside(field, price.listSize, node),
    });
    if (!isRoot && once === 0 && things.length === 0) return [];
    const counted = quota && this.#argument(field, node, quota.argument);
    return [
      {
        key,
        conditions,
        once,
        listDepth: listDepthOf(field.type),
        size: this.#sizeOf(type, field, node, scope),
        things,
        isFree,
        units: quota && counted ? (variables) => Math.ceil((counted(variables) ?? 0) / quota.per) : null,
      },
    ];
  }

  #things(field: Field, each: number | null, group: readonly Part<FieldNode>[], scope: Scope): PricedThing[] {
    const named = getNamedType(field.type);
    const types = isAbstractType(named) ? this.#schema.getPossibleTypes(named) : [named];
    const parts = group.flatMap(({ node: { selectionSet }, condition }) =>
      selectionSet ? [{ node: selectionSet, condition }] : [],
    );
    const inside = { ...scope, level: scope.level + 1 };
    return types
      .map((type) =>
        isObjectType(type)
          ? this.#thing(type, each ?? this.#prices.types.get(type.name) ?? 0, parts, inside)
          : { typeName: type.name, each: each ?? 0, typenameKeys: [], fields: [] },
      )
      .filter((thing) => thing.each > 0 || thing.fields.length > 0);
  }

  // --- sizes --------------------------------------------------------------------------------------------------------

  #sizeOf(type: GraphQLObjectType, field: Field, node: FieldNode, { sizes }: Scope): PricedField['size'] {
    const outer = sizes.get(field.name);
    const listSize = this.#prices.fields.get(`${type.name}.${field.name}`)?.listSize;
    const own = listSize && listSize.sizedFields.length === 0 ? this.#boundOf(field, listSize, node) : null;
    const otherwise = isEdges(type, field) ? maxPageSize : 1;
    return (variables) => outer?.(variables) ?? own?.(variables) ?? otherwise;
  }

  /** The sizes of lists inside of what a field returns, by the arguments of that field. */
  #sizesInside(field: Field, listSize: ListSize | null, node: FieldNode): ReadonlyMap<string, Size> {
    const sizes = new Map<string, Size>();
    if (listSize) {
      const bound = this.#boundOf(field, listSize, node);
      for (const name of listSize.sizedFields) sizes.set(name, bound);
    }
    const first = returnsConnection(field) && this.#argument(field, node, 'first');
    if (first) sizes.set('edges', (variables) => Math.min(first(variables) ?? defaultPageSize, maxPageSize));
    return sizes;
  }

  #boundOf(field: Field, { slicingArguments, assumedSize }: ListSize, node: FieldNode): Size {
    const slicing = slicingArguments.flatMap((name) => this.#argument(field, node, name) ?? []);
    return (variables) => {
      const given = slicing.flatMap((size) => size(variables) ?? []);
      return given.length > 0 ? Math.max(...given) : assumedSize;
    };
  }

  /** The value of an argument as a size: an Int, or the length of a list. */
  #argument(field: Field, node: FieldNode, name: string): Size | null {
    const argument = field.args.find((one) => one.name === name);
    if (!argument) return null;
    const value = node.arguments?.find((one) => one.name.value === name)?.value;
    if (value?.kind === Kind.VARIABLE) {
      const read = this.#variable(value.name.value);
      return (variables) => sizeOfValue(read(variables), argument);
    }
    const size = value ? sizeOfLiteral(value, argument) : sizeOfValue(undefined, argument);
    return () => size;
  }

  // --- variables ----------------------------------------------------------------------------------------------------

  #variable(name: string): (variables: RawVariables) => unknown {
    const otherwise = this.#defaults.get(name);
    return (variables) =>
      Object.hasOwn(variables, name) && variables[name] !== undefined ? variables[name] : otherwise;
  }

  /** What @skip and @include demand; null where a literal says that the selection is never included. */
  #conditionOf(directives: readonly DirectiveNode[]): Condition | null {
    let condition = 0n;
    for (const { name, arguments: args } of directives) {
      const unwanted = name.value === 'skip' ? true : name.value === 'include' ? false : null;
      const value = args?.find((one) => one.name.value === 'if')?.value;
      if (unwanted === null || !value) continue;
      if (value.kind === Kind.BOOLEAN && value.value === unwanted) return null;
      if (value.kind === Kind.VARIABLE) condition |= bitOf(this.#indexOf(value.name.value), unwanted);
    }
    return condition;
  }

  #indexOf(variable: string): number {
    const known = this.#conditionVariables.indexOf(variable);
    return known >= 0 ? known : this.#conditionVariables.push(variable) - 1;
  }
}

/** A field of the introspection, or none that we know. */
function freeField(key: string, conditions: PricedField['conditions']): PricedField {
  return { key, conditions, once: 0, listDepth: 0, size: () => 1, things: [], isFree: true, units: null };
}

/** Absent, it is the argument's default. What cannot be coerced is no size: the operation will not run. */
function sizeOfValue(given: unknown, argument: GraphQLArgument): number | null {
  const value = given === undefined ? argument.defaultValue : given;
  if (value === null || value === undefined) return null;
  if (isListArgument(argument)) return Array.isArray(value) ? value.length : 1;
  if (typeof value !== 'number') return null;
  return value > 0 ? Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER) : 0;
}

function sizeOfLiteral(node: ValueNode, argument: GraphQLArgument): number | null {
  if (isListArgument(argument) && node.kind === Kind.LIST) return node.values.length;
  if (node.kind === Kind.OBJECT) return isListArgument(argument) ? 1 : null;
  return sizeOfValue(valueFromASTUntyped(node), argument);
}

function bitOf(index: number, unwanted: boolean): Condition {
  return 1n << BigInt(2 * index + (unwanted ? 0 : 1));
}

function unmetBits(values: readonly unknown[]): Condition {
  return values.reduce<Condition>(
    (bits, value, index) => (typeof value === 'boolean' ? bits | bitOf(index, value) : bits),
    0n,
  );
}

/** Under which condition a selection set is still to be read for an object; null where it has been. */
function admit(seen: Selection['seen'], node: SelectionSetNode, wanted: Condition): Condition | null {
  const known = seen.get(node) ?? [];
  if (known.some((condition) => (condition & wanted) === condition)) return null;
  const condition = known.length < maxConditions ? wanted : 0n;
  seen.set(node, [...known, condition]);
  return condition;
}

function addTo(groups: Selection['groups'], node: FieldNode, condition: Condition): void {
  const key = node.alias?.value ?? node.name.value;
  const group = groups.get(key);
  if (group) group.push({ node, condition });
  else groups.set(key, [{ node, condition }]);
}

function anyOf(conditions: readonly Condition[]): readonly Condition[] | null {
  const distinct = new Set(conditions);
  return distinct.has(0n) || distinct.size > maxConditions ? null : [...distinct];
}
