import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
} from 'graphql';

/** A number from 0 to `below - 1`; 0 is the simplest choice. */
export type Choose = (below: number) => number;

export type RandomOperation = { query: string; variables: Record<string, unknown> };

const maxDepth = 6;
const maxAliases = 3;

/** Chooses by the numbers of a tape; behind its end, the simplest. fast-check makes a counterexample's tape shorter. */
export function chooseFrom(tape: readonly number[]): Choose {
  let position = 0;
  return (below) => {
    position += 1;
    return (tape[position - 1] ?? 0) % below;
  };
}

/** A valid operation with aliases, fragments, variables, @skip and @include. */
export function randomOperation(schema: GraphQLSchema, choose: Choose): RandomOperation {
  return new OperationWriter(schema, choose).write();
}

class OperationWriter {
  readonly #schema: GraphQLSchema;
  readonly #choose: Choose;
  readonly #definitions = new Map<string, string>();
  readonly #variables: Record<string, unknown> = {};
  readonly #fragments: { name: string; type: GraphQLCompositeType; depth: number; text: string }[] = [];
  /** Fields of one response key must have the same arguments. */
  readonly #arguments = new Map<string, string>();

  constructor(schema: GraphQLSchema, choose: Choose) {
    this.#schema = schema;
    this.#choose = choose;
  }

  write(): RandomOperation {
    const isMutation = this.#choose(4) === 3;
    const root = isMutation ? this.#schema.getMutationType() : this.#schema.getQueryType();
    if (!root) throw new Error('The schema has no such root type.');
    const selections = this.#selectionSet(root, maxDepth);
    const definitions = [...this.#definitions.values()].join(', ');
    const head = `${isMutation ? 'mutation' : 'query'} Random${definitions ? `(${definitions})` : ''}`;
    const fragments = this.#fragments.map(({ text }) => text).join('\n');
    return { query: `${head} ${selections}\n${fragments}`, variables: this.#variables };
  }

  #selectionSet(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + this.#choose(4);
    const selections = Array.from({ length: count }, () => this.#selection(type, depth));
    return `{ ${selections.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const kind = this.#choose(10);
    if (kind === 7 && depth > 0) return this.#spread(type, depth);
    if (kind === 8 && depth > 0) return this.#inline(type, depth);
    if (kind === 9 || isUnionType(type))
      return depth > 0 && isUnionType(type) ? this.#inline(type, depth) : '__typename';
    return this.#field(type, depth);
  }

  #field(type: GraphQLCompositeType, depth: number): string {
    const fields = isUnionType(type) ? [] : Object.values(type.getFields());
    const usable = fields.filter((field) => depth > 0 || isLeafType(getNamedType(field.type)));
    // Objects are chosen more often than scalars, which cost nothing.
    const objects = usable.filter((field) => isCompositeType(getNamedType(field.type)));
    const chosen = objects.length > 0 && this.#choose(3) > 0 ? objects : usable;
    const field = chosen[this.#choose(Math.max(1, chosen.length))];
    if (!field) return '__typename';
    const named = getNamedType(field.type);
    const key = this.#keyOf(field);
    const inner = isCompositeType(named) ? this.#selectionSet(named, depth - 1) : '';
    return `${key === field.name ? '' : `${key}: `}${field.name}${this.#argumentsOf(field, key)}${this.#condition()} ${inner}`;
  }

  #keyOf({ name }: GraphQLField<unknown, unknown>): string {
    const alias = this.#choose(2 * maxAliases);
    return alias < maxAliases ? name : `${name}_${alias}`;
  }

  #inline(type: GraphQLCompositeType, depth: number): string {
    const condition = this.#choose(3) === 0 && !isUnionType(type) ? type : this.#narrower(type);
    const head = condition === type && this.#choose(2) === 0 ? '...' : `... on ${condition.name}`;
    return `${head}${this.#condition()} ${this.#selectionSet(condition, depth - 1)}`;
  }

  #narrower(type: GraphQLCompositeType): GraphQLCompositeType {
    const possible = isObjectType(type) ? [type, ...type.getInterfaces()] : this.#schema.getPossibleTypes(type);
    return possible[this.#choose(possible.length)] ?? type;
  }

  #spread(type: GraphQLCompositeType, depth: number): string {
    const condition = this.#narrower(type);
    const known = this.#fragments.filter((one) => one.type === condition && one.depth <= depth);
    const chosen = known[this.#choose(known.length + 1)] ?? this.#newFragment(condition, depth - 1);
    return `...${chosen.name}${this.#condition()}`;
  }

  #newFragment(type: GraphQLCompositeType, depth: number) {
    const selections = this.#selectionSet(type, depth);
    const name = `F${this.#fragments.length}`;
    const fragment = { name, type, depth: depth + 1, text: `fragment ${name} on ${type.name} ${selections}` };
    this.#fragments.push(fragment);
    return fragment;
  }

  #condition(): string {
    const directive = [' @skip', ' @include'][this.#choose(10) - 8];
    if (!directive) return '';
    if (this.#choose(3) === 0) return `${directive}(if: ${this.#choose(2) === 0})`;
    const name = `c${this.#choose(4)}`;
    if (!this.#definitions.has(name)) {
      const isDefault = this.#choose(3) === 2;
      this.#definitions.set(name, `$${name}: Boolean${isDefault ? ` = ${this.#choose(2) === 0}` : '!'}`);
      if (!isDefault || this.#choose(2) === 0) this.#variables[name] = this.#choose(2) === 0;
    }
    return `${directive}(if: $${name})`;
  }

  // --- arguments ----------------------------------------------------------------------------------------------------

  #argumentsOf({ name, args }: GraphQLField<unknown, unknown>, key: string): string {
    const memo = `${name} ${key} ${args.map((argument) => `${argument.name}: ${argument.type}`).join()}`;
    const known = this.#arguments.get(memo);
    if (known !== undefined) return known;
    const given = args.flatMap((argument) => this.#argument(argument));
    const text = given.length > 0 ? `(${given.join(', ')})` : '';
    this.#arguments.set(memo, text);
    return text;
  }

  /** Numbers and lists, which bound lists, are of every kind; others are there where they must be. */
  #argument(argument: GraphQLArgument): string[] {
    const { name, type } = argument;
    const isSize = isListType(getNullableType(type)) || getNamedType(type).name === 'Int';
    if (!isSize) return isRequiredArgument(argument) ? [`${name}: ${simplestLiteral(type)}`] : [];
    const kind = this.#choose(isRequiredArgument(argument) ? 2 : 5);
    if (kind === 0) return [`${name}: ${this.#sizeLiteral(type)}`];
    if (kind === 1) return [`${name}: ${this.#sizeVariable(type)}`];
    if (kind === 2) return [`${name}: ${isNonNullType(type) ? this.#sizeLiteral(type) : 'null'}`];
    return [];
  }

  #sizeVariable(type: GraphQLInputType): string {
    const name = `v${this.#definitions.size}`;
    const isRequired = isNonNullType(type);
    const hasDefault = !isRequired && this.#choose(3) === 2;
    this.#definitions.set(name, `$${name}: ${type}${hasDefault ? ` = ${this.#sizeLiteral(type)}` : ''}`);
    const kind = isRequired ? 0 : this.#choose(4);
    if (kind < 2) this.#variables[name] = this.#sizeValue(type);
    if (kind === 2) this.#variables[name] = null;
    return `$${name}`;
  }

  #size(): number {
    return [2, 0, 1, 3, 4, 5, 101][this.#choose(7)] ?? 0;
  }

  #sizeLiteral(type: GraphQLInputType): string {
    const nullable = getNullableType(type);
    const size = this.#size();
    if (!isListType(nullable)) return String(size);
    return `[${Array.from({ length: size }, () => simplestLiteral(nullable.ofType)).join(', ')}]`;
  }

  #sizeValue(type: GraphQLInputType): unknown {
    const nullable = getNullableType(type);
    const size = this.#size();
    return isListType(nullable) ? Array.from({ length: size }, () => simplestValue(nullable.ofType)) : size;
  }
}

/** The simplest value of an input type. */
function simplestValue(type: GraphQLInputType): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [simplestValue(nullable.ofType)];
  if (isEnumType(nullable)) return nullable.getValues()[0]?.name;
  if (isInputObjectType(nullable)) {
    const required = Object.values(nullable.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, simplestValue(field.type)]));
  }
  const simple: Record<string, unknown> = { Int: 1, Boolean: true, JSONObject: {}, DateTime: '2026-01-01T00:00:00Z' };
  return simple[nullable.name] ?? 'x';
}

function simplestLiteral(type: GraphQLInputType): string {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return `[${simplestLiteral(nullable.ofType)}]`;
  if (isInputObjectType(nullable)) {
    const required = Object.values(nullable.getFields()).filter(isRequiredInputField);
    return `{ ${required.map((field) => `${field.name}: ${simplestLiteral(field.type)}`).join(', ')} }`;
  }
  const value = simplestValue(nullable);
  return isEnumType(nullable) || typeof value === 'object'
    ? String(isEnumType(nullable) ? value : '{}')
    : JSON.stringify(value);
}
