import {
  type DirectiveNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { directiveArguments, type Tell } from './directiveArguments.ts';
import type { FieldPrice, ListSize, PriceTable, QuotaRule } from './table.ts';

const mutationWeight = 10;
const objectWeight = 1;
/** The type that every schema has for its connections, even before it has one. */
const sharedTypeName = 'PageInfo';

type Field = GraphQLField<unknown, unknown>;
type FieldOwner = GraphQLObjectType | GraphQLInterfaceType;

/** What everything costs, from @cost, @listSize and @quota; each problem of these, a list without a bound too, is told. */
export function readWeights(schema: GraphQLSchema, tell: Tell): PriceTable {
  return new WeightReader(schema, tell).read();
}

/** Whether a field returns a connection: `first` bounds its edges. */
export function returnsConnection({ type }: Field): boolean {
  return getNamedType(type).name.endsWith('Connection');
}

/** Whether a field is the list of a connection. */
export function isEdges(type: GraphQLNamedType, field: Field): boolean {
  return type.name.endsWith('Connection') && field.name === 'edges';
}

/** How many lists stand around the named type of a field. */
export function listDepthOf(type: GraphQLOutputType): number {
  const nullable = getNullableType(type);
  return isListType(nullable) ? 1 + listDepthOf(nullable.ofType) : 0;
}

class WeightReader {
  readonly #schema: GraphQLSchema;
  readonly #tell: Tell;
  readonly #roots: ReadonlySet<GraphQLNamedType | null | undefined>;

  constructor(schema: GraphQLSchema, tell: Tell) {
    this.#schema = schema;
    this.#tell = tell;
    this.#roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  }

  read(): PriceTable {
    const owners = Object.values(this.#schema.getTypeMap()).filter(
      (type): type is FieldOwner => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'),
    );
    const objects = owners.filter(isObjectType);
    const costs = new Map(owners.flatMap((type) => fieldsOf(type).map((field) => this.#fieldCost(type, field))));
    const fields = owners.flatMap((type) => fieldsOf(type).map((field) => this.#priceOf(type, field, costs)));
    const types = new Map(objects.map((type) => [type.name, this.#typeWeight(type)]));
    this.#checkTypesHaveEffect(objects, costs);
    return { fields: new Map(fields), types };
  }

  // --- @cost --------------------------------------------------------------------------------------------------------

  #typeWeight(type: GraphQLObjectType): number {
    const weight = this.#weightOf(typeDirective(type, 'cost'), `type ${type.name}`);
    if (this.#roots.has(type)) return 0;
    return weight ?? objectWeight;
  }

  #checkTypesHaveEffect(objects: readonly GraphQLObjectType[], costs: ReadonlyMap<string, number | null>): void {
    const priced = new Set(
      objects.flatMap((type) =>
        fieldsOf(type)
          .filter((field) => inheritedCost(type, field, costs) === null)
          .flatMap((field) => this.#objectsOf(field)),
      ),
    );
    for (const type of objects.filter((one) => typeDirective(one, 'cost'))) {
      const place = `type ${type.name}`;
      if (this.#roots.has(type)) this.#tell(place, '@cost has no effect on a root type: write it beside each field');
      else if (!priced.has(type) && type.name !== sharedTypeName)
        this.#tell(place, '@cost has no effect: no field returns it, or each has a @cost of its own');
    }
  }

  #fieldCost(type: FieldOwner, field: Field): [string, number | null] {
    const coordinate = `${type.name}.${field.name}`;
    const weight = this.#weightOf(fieldDirective(field, 'cost'), coordinate);
    if (weight === 0 && isLeafType(getNamedType(field.type)) && !this.#roots.has(type))
      this.#tell(coordinate, '@cost(weight: 0) has no effect: a scalar or an enum costs nothing');
    if (weight !== null && isInterfaceType(type) && this.#isOverridden(type, field))
      this.#tell(coordinate, `@cost has no effect: no type takes it over from ${type.name}`);
    return [coordinate, weight];
  }

  #isOverridden(type: GraphQLInterfaceType, { name }: Field): boolean {
    return this.#schema
      .getPossibleTypes(type)
      .every((one) => fieldDirective(one.getFields()[name], 'cost') !== undefined);
  }

  #weightOf(node: DirectiveNode | undefined, place: string): number | null {
    const weight = node && (directiveArguments(this.#schema, node, place, this.#tell)?.weight as number | undefined);
    if (weight === undefined) return null;
    if (weight < 0) this.#tell(place, `@cost(weight: ${weight}) must be 0 or more`);
    return Math.max(0, weight);
  }

  #objectsOf(field: Field): readonly GraphQLNamedType[] {
    const type = getNamedType(field.type);
    return isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type];
  }

  #priceOf(type: FieldOwner, field: Field, costs: ReadonlyMap<string, number | null>): [string, FieldPrice] {
    const coordinate = `${type.name}.${field.name}`;
    const cost = inheritedCost(type, field, costs);
    const isMutation = type === this.#schema.getMutationType();
    const price: FieldPrice = {
      once: isMutation ? (cost ?? mutationWeight) : 0,
      each: isMutation && cost !== null ? 0 : cost,
      isFree: cost === 0,
      listSize: this.#listSizeOf(type, field, coordinate),
      quota: this.#quotaOf(type, field, coordinate),
    };
    return [coordinate, price];
  }

  // --- @listSize ----------------------------------------------------------------------------------------------------

  /** A list is the `edges` of a connection whose fields take `first`, or it has @listSize. */
  #listSizeOf(type: FieldOwner, field: Field, place: string): ListSize | null {
    const node = fieldDirective(field, 'listSize');
    if (returnsConnection(field) && !field.args.some(({ name }) => name === 'first'))
      this.#tell(place, 'returns a connection without a bound: it needs the argument `first`');
    if (listDepthOf(field.type) > 0 && !isEdges(type, field) && !node)
      this.#tell(place, 'is a list without a bound: make it a connection or give it @listSize');
    const values = node && directiveArguments(this.#schema, node, place, this.#tell);
    if (!values) return null;
    const size: ListSize = {
      assumedSize: (values.assumedSize ?? null) as number | null,
      slicingArguments: (values.slicingArguments ?? []) as string[],
      sizedFields: (values.sizedFields ?? []) as string[],
    };
    this.#checkSizedFields(type, field, place, size);
    this.#checkSize(field, place, size);
    return size;
  }

  #checkSizedFields(type: FieldOwner, field: Field, place: string, { sizedFields }: ListSize): void {
    const isList = listDepthOf(field.type) > 0;
    if (isEdges(type, field)) this.#tell(place, '@listSize has no effect on the edges of a connection: `first` does');
    if (!isList && sizedFields.length === 0)
      this.#tell(place, '@listSize has no effect on a field that is not a list, without sizedFields');
    if (isList && sizedFields.length > 0)
      this.#tell(place, '@listSize(sizedFields) is for a field that is not a list itself');
    for (const name of sizedFields) {
      const problem = sizedFieldProblem(field, name);
      if (problem) this.#tell(place, `@listSize(sizedFields: "${name}") ${problem}`);
    }
  }

  #checkSize({ args }: Field, place: string, { assumedSize, slicingArguments, sizedFields }: ListSize): void {
    if (assumedSize !== null && assumedSize < 1) this.#tell(place, '@listSize(assumedSize) must be 1 or more');
    for (const name of slicingArguments) {
      const problem = slicingProblem(args.find((argument) => argument.name === name));
      if (problem) this.#tell(place, `@listSize names the argument "${name}", ${problem}`);
    }
    if (assumedSize !== null) return;
    const slicing = args.filter(({ name }) => slicingArguments.includes(name));
    if (slicingArguments.length === 0) this.#tell(place, '@listSize needs assumedSize or slicingArguments');
    else if (sizedFields.length === 0 && slicing.length > 0 && !slicing.some(({ type }) => isNonNullType(type)))
      this.#tell(place, '@listSize needs assumedSize: none of its arguments must be given');
  }

  // --- @quota -------------------------------------------------------------------------------------------------------

  #quotaOf(type: FieldOwner, field: Field, place: string): QuotaRule | null {
    const node = fieldDirective(field, 'quota');
    const values = node && directiveArguments(this.#schema, node, place, this.#tell);
    if (!values) return null;
    const rule = values as QuotaRule;
    if (!this.#roots.has(type)) this.#tell(place, '@quota has no effect on a field that is not of a root type');
    if (rule.per < 1) this.#tell(place, `@quota(per: ${rule.per}) must be 1 or more`);
    const argument = field.args.find(({ name }) => name === rule.argument);
    if (!argument) this.#tell(place, `@quota names the argument "${rule.argument}", which does not exist`);
    else if (!isListArgument(argument))
      this.#tell(place, `@quota names the argument "${rule.argument}", which is not a list`);
    return rule;
  }
}

/** Whether the value of an argument is a list. */
export function isListArgument({ type }: GraphQLArgument): boolean {
  return isListType(getNullableType(type));
}

function slicingProblem(argument: GraphQLArgument | undefined): string | null {
  if (!argument) return 'which does not exist';
  return isListArgument(argument) || getNamedType(argument.type).name === 'Int' ? null : 'which is no Int and no list';
}

function sizedFieldProblem(field: Field, name: string): string | null {
  const type = getNamedType(field.type);
  const sized = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
  if (!sized) return `leads nowhere: there is no "${name}" in ${type.name}`;
  if (listDepthOf(sized.type) === 0) return 'is not a list';
  return isEdges(type, sized) ? 'has no effect on the edges of a connection: `first` does' : null;
}

/** The @cost of a field, else the largest of the same field of its interfaces. */
function inheritedCost(type: FieldOwner, { name }: Field, costs: ReadonlyMap<string, number | null>): number | null {
  const own = costs.get(`${type.name}.${name}`) ?? null;
  if (own !== null) return own;
  const inherited = type.getInterfaces().flatMap((one) => costs.get(`${one.name}.${name}`) ?? []);
  return inherited.length > 0 ? Math.max(...inherited) : null;
}

function fieldsOf(type: FieldOwner): Field[] {
  return Object.values(type.getFields());
}

function fieldDirective(field: Field | undefined, directive: string): DirectiveNode | undefined {
  return field?.astNode?.directives?.find(({ name }) => name.value === directive);
}

function typeDirective(type: GraphQLObjectType, directive: string): DirectiveNode | undefined {
  return [type.astNode, ...type.extensionASTNodes]
    .flatMap((node) => node?.directives ?? [])
    .find(({ name }) => name.value === directive);
}
