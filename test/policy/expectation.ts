import { type DirectiveNode, type DocumentNode, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';

/** What a caller may be told: the plain reading of the SDL, which has nothing in common with src/policy. */
export type Outcome = 'ALLOWED' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND';

/** A caller as the test made it. `BAD` is a credential that is present and does not work. */
export type CallerFacts = {
  name: string;
  credential: 'NONE' | 'BAD' | 'SESSION' | 'ACCESS_TOKEN' | 'API_KEY';
  roles: readonly string[];
  scopes: readonly string[];
  ownId: string | null;
};

/** One guarded field on the way, with what its owner paths look at. */
export type Step = { coordinate: string; args?: object; parent?: object; result?: object | null };

type Rule = { roles: string[]; scopes: string[][]; credentials: string[]; owner: string[] };
type FieldFacts = { named: string; directives: readonly DirectiveNode[] };
type TypeFacts = { interfaces: string[]; members: string[]; rules: Rule[]; fields: Map<string, FieldFacts> };

const rolesAbove: Record<string, string[]> = {
  ADMIN: ['ADMIN'],
  OPERATOR: ['ADMIN', 'OPERATOR'],
  VIEWER: ['ADMIN', 'OPERATOR', 'VIEWER'],
  AGENT: ['AGENT'],
};
const policyDirectives = new Set(['auth', 'public', 'rateLimit', 'audit']);

/** Reads the directives of the documents and says, field by field, what a caller is to expect. */
export class Expectations {
  readonly #types = new Map<string, TypeFacts>();

  constructor(documents: readonly DocumentNode[]) {
    for (const document of documents) for (const definition of document.definitions) this.#read(definition);
    for (const [name, { interfaces }] of this.#types)
      for (const one of interfaces) this.#types.get(one)?.members.push(name);
  }

  /** The fields of object types that a policy directive reaches, sorted. */
  coordinates(): string[] {
    const found: string[] = [];
    for (const [name, { fields, members }] of this.#types)
      for (const [field] of members.length > 0 ? [] : fields) {
        const isMarked = this.#directivesOf(name, field).some((node) => policyDirectives.has(node.name.value));
        if (isMarked || this.#rulesOf(name, field).length > 0) found.push(`${name}.${field}`);
      }
    return found.sort();
  }

  /** What the field alone answers to the caller. */
  of(step: Step, caller: CallerFacts): Outcome {
    return this.#decide(step, caller, false);
  }

  /** The same for as much as is known before anything runs: what only objects tell counts as granted. */
  early(step: Step, caller: CallerFacts): Outcome {
    return this.#decide(step, caller, true);
  }

  #decide(step: Step, caller: CallerFacts, isEarly: boolean): Outcome {
    if (caller.credential === 'BAD') return 'UNAUTHENTICATED';
    const [type = '', field = ''] = step.coordinate.split('.');
    const outcomes = this.#rulesOf(type, field).map((rule) => judge(rule, step, caller, isEarly));
    const order: Outcome[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND'];
    return order.find((outcome) => outcomes.includes(outcome)) ?? 'ALLOWED';
  }

  /** Its own, those of the same field of its interfaces, and those of all that it can return. */
  #rulesOf(type: string, field: string): Rule[] {
    const own = this.#directivesOf(type, field)
      .filter((node) => node.name.value === 'auth')
      .map(ruleOf);
    const named = this.#types.get(type)?.fields.get(field)?.named ?? '';
    return [...own, ...this.#rulesOfType(named)];
  }

  #rulesOfType(name: string): Rule[] {
    const type = this.#types.get(name);
    if (!type) return [];
    const above = type.interfaces.flatMap((one) => this.#types.get(one)?.rules ?? []);
    return [...type.rules, ...above, ...type.members.flatMap((one) => this.#rulesOfType(one))];
  }

  #directivesOf(type: string, field: string): DirectiveNode[] {
    const { interfaces = [] } = this.#types.get(type) ?? {};
    return [type, ...interfaces].flatMap((one) => this.#types.get(one)?.fields.get(field)?.directives ?? []);
  }

  #read(node: DocumentNode['definitions'][number]): void {
    if (node.kind === Kind.UNION_TYPE_DEFINITION)
      this.#typeOf(node.name.value).members.push(...(node.types ?? []).map(({ name }) => name.value));
    if (!('interfaces' in node)) return;
    const type = this.#typeOf(node.name?.value ?? '');
    type.interfaces.push(...(node.interfaces ?? []).map(({ name }) => name.value));
    type.rules.push(...(node.directives ?? []).filter(({ name }) => name.value === 'auth').map(ruleOf));
    for (const field of node.fields ?? []) {
      let named = field.type;
      while (named.kind !== Kind.NAMED_TYPE) named = named.type;
      type.fields.set(field.name.value, { named: named.name.value, directives: field.directives ?? [] });
    }
  }

  #typeOf(name: string): TypeFacts {
    const type = this.#types.get(name) ?? { interfaces: [], members: [], rules: [], fields: new Map() };
    this.#types.set(name, type);
    return type;
  }
}

function judge(rule: Rule, { args, parent, result }: Step, caller: CallerFacts, isEarly: boolean): Outcome {
  if (caller.credential === 'NONE') return 'UNAUTHENTICATED';
  if (rule.credentials.length > 0 && !rule.credentials.includes(caller.credential)) return 'FORBIDDEN';
  if (rule.scopes.length > 0 && !rule.scopes.some((set) => set.every((scope) => caller.scopes.includes(scope))))
    return 'FORBIDDEN';
  if (rule.roles.some((role) => rolesAbove[role]?.some((one) => caller.roles.includes(one)))) return 'ALLOWED';
  if (rule.roles.length + rule.owner.length === 0) return 'ALLOWED';
  const isOwner = rule.owner.some((path) => {
    const [root = '', ...rest] = path.split('.');
    if (isEarly && root !== 'args') return true;
    const ids = walk({ args, parent, result }[root], rest);
    return caller.ownId !== null && ids.length > 0 && ids.every((id) => id === caller.ownId);
  });
  if (isOwner) return 'ALLOWED';
  if (!rule.owner.some((path) => path.startsWith('result.'))) return 'FORBIDDEN';
  return result === null ? 'ALLOWED' : 'NOT_FOUND';
}

function walk(value: unknown, path: string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => walk(one, path));
  const [first, ...rest] = path;
  if (first === undefined) return [value];
  return walk((value as Record<string, unknown> | null | undefined)?.[first], rest);
}

function ruleOf(node: DirectiveNode): Rule {
  const values = Object.fromEntries((node.arguments ?? []).map(({ name, value }) => [name.value, listOf(value)]));
  const isBare = Object.keys(values).length === 0;
  return { roles: isBare ? ['ADMIN'] : [], scopes: [], credentials: [], owner: [], ...values };
}

/** A single value where a list is meant is a list of one, in the innermost list too. */
function listOf(value: ValueNode): unknown[] {
  const untyped = valueFromASTUntyped(value);
  return Array.isArray(untyped) ? untyped : [untyped];
}
