import {
  type DirectiveNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import ms, { type StringValue } from 'ms';
import { type CredentialKind, scopes as knownScopes, type Role, type Scope } from '../auth/roles.ts';
import { directiveArguments } from './directiveArguments.ts';
import { argumentPathProblem, parseOwnerPath } from './paths.ts';
import type { AuditRule, AuthRule, FieldPolicy, PolicyTable, RateLimitRule } from './table.ts';
import { readWeights } from './weights.ts';

const minWindowMs = 1000;
const maxWindowMs = 31 * 24 * 60 * 60 * 1000;
/** Whole numbers with a unit: a bare number would be milliseconds, which nobody means. */
const windowFormat = /^\d+ ?[a-z]+$/i;
const actionFormat = /^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/;

type Field = GraphQLField<unknown, unknown>;
type FieldOwner = GraphQLNamedType & { getFields(): Record<string, Field> };

/** Every problem of a policy at once: a process with such a policy does not start. */
export class PolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The policy in the SDL cannot be enforced:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

/** The policy table of the SDL's directives; throws PolicyError with every problem, each naming its place. */
export function compilePolicy(schema: GraphQLSchema): PolicyTable {
  return new PolicyCompiler(schema).compile();
}

class PolicyCompiler {
  readonly #schema: GraphQLSchema;
  readonly #problems: string[] = [];
  readonly #typeRules = new Map<string, AuthRule[]>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  compile(): PolicyTable {
    const owners = Object.values(this.#schema.getTypeMap()).filter(
      (type): type is FieldOwner => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'),
    );
    for (const type of owners) this.#readTypeRules(type);
    this.#pushTypeRulesDown(owners);
    const own = new Map(owners.flatMap((type) => this.#fieldsOf(type).map((field) => this.#readField(type, field))));
    const objects = owners.filter(isObjectType);
    this.#checkTypeRulesHaveEffect(objects);
    const table = this.#assemble(objects, own);
    readWeights(this.#schema, (place, text) => this.#problem(place, text));
    if (this.#problems.length > 0) throw new PolicyError([...new Set(this.#problems)].sort());
    return table;
  }

  #fieldsOf(type: FieldOwner): Field[] {
    return Object.values(type.getFields());
  }

  // --- types and interfaces -----------------------------------------------------------------------------------------

  #readTypeRules(type: FieldOwner): void {
    const nodes = [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
    const place = `${isInterfaceType(type) ? 'interface' : 'type'} ${type.name}`;
    const rules = nodes
      .filter((node) => node.name.value === 'auth')
      .flatMap((node) => this.#readAuth(node, place, (text) => parseOwnerPath(text, { result: type })));
    if (this.#isRoot(type) && rules.length > 0)
      this.#problem(place, '@auth has no effect on a root type: write it beside each field');
    this.#typeRules.set(type.name, rules);
  }

  /** The rules of an interface hold for each type that implements it. */
  #pushTypeRulesDown(owners: readonly FieldOwner[]): void {
    const own = new Map(this.#typeRules);
    for (const type of owners) {
      const inherited = this.#interfacesOf(type).flatMap((one) => own.get(one.name) ?? []);
      this.#typeRules.set(type.name, [...inherited, ...(own.get(type.name) ?? [])]);
    }
  }

  #checkTypeRulesHaveEffect(objects: readonly GraphQLObjectType[]): void {
    const fields = objects.flatMap((type) => this.#fieldsOf(type));
    const effective = new Set(fields.flatMap((field) => this.#rulesOfReturned(field)));
    for (const [name, rules] of this.#typeRules)
      for (const rule of rules)
        if (!effective.has(rule) && !this.#isRootName(name))
          this.#problem(rule.origin, '@auth has no effect: no field returns it');
  }

  #rulesOfReturned(field: Field): AuthRule[] {
    return this.#returnedTypes(field).flatMap((one) => this.#typeRules.get(one.name) ?? []);
  }

  /** The named type of a field, and what an abstract one can turn out to be. */
  #returnedTypes(field: Field): GraphQLNamedType[] {
    const type = getNamedType(field.type);
    return isAbstractType(type) ? [type, ...this.#schema.getPossibleTypes(type)] : [type];
  }

  #interfacesOf(type: FieldOwner): readonly FieldOwner[] {
    return isObjectType(type) || isInterfaceType(type) ? type.getInterfaces() : [];
  }

  // --- fields -------------------------------------------------------------------------------------------------------

  #readField(type: FieldOwner, field: Field): [string, FieldPolicy] {
    const coordinate = `${type.name}.${field.name}`;
    const nodes = field.astNode?.directives ?? [];
    const named = (name: string) => nodes.filter((node) => node.name.value === name);
    const policy: FieldPolicy = {
      coordinate,
      isPublic: named('public').length > 0,
      auth: named('auth').flatMap((node) =>
        this.#readAuth(node, coordinate, (text) =>
          parseOwnerPath(text, {
            args: field.args,
            parent: this.#isRoot(type) ? undefined : type,
            result: getNamedType(field.type),
          }),
        ),
      ),
      rateLimits: named('rateLimit').flatMap((node) => this.#readRateLimit(node, coordinate, field)),
      audit: named('audit').flatMap((node) => this.#readAudit(node, coordinate, field))[0] ?? null,
    };
    this.#checkField(type, field, policy, named('auth').length > 0);
    return [coordinate, policy];
  }

  #checkField(type: FieldOwner, field: Field, policy: FieldPolicy, hasAuth: boolean): void {
    const { coordinate } = policy;
    const isMutation = type === this.#schema.getMutationType();
    const hasAudit = field.astNode?.directives?.some((node) => node.name.value === 'audit') ?? false;
    if (this.#isRoot(type) && !hasAuth && !policy.isPublic)
      this.#problem(coordinate, 'has no policy: it needs @auth or @public');
    if (hasAuth && policy.isPublic) this.#problem(coordinate, '@public and @auth exclude each other');
    if (!this.#isRoot(type) && policy.isPublic)
      this.#problem(coordinate, '@public has no effect on a field that is not of Query, Mutation or Subscription');
    if (isMutation && !hasAudit)
      this.#problem(
        coordinate,
        'has no @audit: a mutation needs one, with level: NONE where nothing is kept on purpose',
      );
    if (!isMutation && hasAudit) this.#problem(coordinate, '@audit has no effect on a field that is not of Mutation');
    const isSubscription = type === this.#schema.getSubscriptionType();
    if (isSubscription ? !field.subscribe : this.#isRoot(type) && !field.resolve)
      this.#problem(coordinate, 'has no resolver');
    const isImplemented = !isInterfaceType(type) || this.#schema.getPossibleTypes(type).length > 0;
    if (!isImplemented && (hasAuth || policy.rateLimits.length > 0))
      this.#problem(coordinate, `its policy has no effect: no type implements ${type.name}`);
  }

  // --- directives ---------------------------------------------------------------------------------------------------

  #readAuth(node: DirectiveNode, place: string, parsePath: (text: string) => ReturnType<typeof parseOwnerPath>) {
    const values = this.#argumentsOf(node, place);
    if (!values) return [];
    const roles = values.roles as Role[] | null | undefined;
    const scopes = values.scopes as Scope[][] | null | undefined;
    const credentials = values.credentials as CredentialKind[] | null | undefined;
    const owner = values.owner as string[] | null | undefined;
    const maxAgeSeconds = (values.maxAgeSeconds ?? null) as number | null;
    if (maxAgeSeconds !== null && maxAgeSeconds < 1)
      this.#problem(place, `@auth(maxAgeSeconds: ${maxAgeSeconds}) must be 1 or more`);
    for (const [name, list] of Object.entries({ roles, scopes, credentials, owner }))
      if (list && list.length === 0) this.#problem(place, `@auth(${name}) is empty: nobody could call it`);
    for (const scope of scopes?.flat() ?? [])
      if (!knownScopes.includes(scope)) this.#problem(place, `@auth names the scope "${scope}", which does not exist`);
    if (scopes?.some((set) => set.length === 0)) this.#problem(place, '@auth(scopes) holds an empty set');
    const paths = (owner ?? []).flatMap((text) => {
      const path = parsePath(text);
      if (typeof path !== 'string') return [path];
      this.#problem(place, `@auth(owner: "${text}") ${path}`);
      return [];
    });
    const isBare = !roles && !scopes && !credentials && !owner;
    const rule: AuthRule = {
      roles: isBare ? ['ADMIN'] : (roles ?? []),
      scopes: scopes ?? [],
      credentials: credentials ?? [],
      owner: paths,
      maxAgeSeconds,
      origin: place,
    };
    return [rule];
  }

  #readRateLimit(node: DirectiveNode, coordinate: string, field: Field): RateLimitRule[] {
    const values = this.#argumentsOf(node, coordinate);
    if (!values) return [];
    const max = values.max as number;
    const window = values.window as string;
    const windowMs = windowFormat.test(window) ? ms(window as StringValue) : undefined;
    const paths = (values.identityArgs ?? []) as string[];
    if (max < 1) this.#problem(coordinate, `@rateLimit(max: ${max}) must be 1 or more`);
    for (const path of paths) {
      const problem = argumentPathProblem(path, field.args);
      if (problem) this.#problem(coordinate, `@rateLimit(identityArgs: "${path}") ${problem}`);
    }
    const ownAccount = (values.ownAccount ?? null) as string | null;
    const accountProblem = ownAccount === null ? null : argumentPathProblem(ownAccount, field.args, 'EmailAddress');
    if (accountProblem) this.#problem(coordinate, `@rateLimit(ownAccount: "${ownAccount}") ${accountProblem}`);
    if (windowMs === undefined || windowMs < minWindowMs || windowMs > maxWindowMs) {
      this.#problem(coordinate, `@rateLimit(window: "${window}") is not a time of 1s to 31d such as "15m" or "1h"`);
      return [];
    }
    return [
      {
        max,
        window,
        windowMs,
        per: values.per as RateLimitRule['per'],
        identityArgs: paths.map((path) => path.split('.')),
        ownAccount: ownAccount?.split('.') ?? null,
        count: values.count as RateLimitRule['count'],
        mode: values.mode as RateLimitRule['mode'],
        fallback: values.fallback as RateLimitRule['fallback'],
      },
    ];
  }

  #readAudit(node: DirectiveNode, coordinate: string, field: Field): AuditRule[] {
    const values = this.#argumentsOf(node, coordinate);
    if (!values) return [];
    const action = values.action as string;
    const redact = (values.redact ?? []) as string[];
    if (!actionFormat.test(action))
      this.#problem(coordinate, `@audit(action: "${action}") is not of the form noun.verb`);
    for (const path of redact) {
      const problem = argumentPathProblem(path, field.args);
      if (problem) this.#problem(coordinate, `@audit(redact: "${path}") ${problem}`);
    }
    const { severity, level } = values as Pick<AuditRule, 'severity' | 'level'>;
    return [{ action, severity, level, redact }];
  }

  #argumentsOf(node: DirectiveNode, place: string): Record<string, unknown> | null {
    return directiveArguments(this.#schema, node, place, (where, text) => this.#problem(where, text));
  }

  // --- the table ----------------------------------------------------------------------------------------------------

  /** A field has its own rules, those of the same field of its interfaces, and those of every type it can return. */
  #assemble(types: readonly GraphQLObjectType[], own: ReadonlyMap<string, FieldPolicy>): PolicyTable {
    const table = new Map<string, FieldPolicy>();
    for (const type of types) {
      for (const field of this.#fieldsOf(type)) {
        const coordinate = `${type.name}.${field.name}`;
        const policy = own.get(coordinate);
        if (!policy) continue;
        const inherited = this.#interfacesOf(type).flatMap((one) => own.get(`${one.name}.${field.name}`) ?? []);
        const merged: FieldPolicy = {
          ...policy,
          auth: [
            ...new Set([...policy.auth, ...inherited.flatMap(({ auth }) => auth), ...this.#rulesOfReturned(field)]),
          ],
          rateLimits: [...policy.rateLimits, ...inherited.flatMap(({ rateLimits }) => rateLimits)],
        };
        if (merged.isPublic && policy.auth.length === 0 && merged.auth.length > 0)
          this.#problem(coordinate, '@public contradicts the @auth of the type that it returns');
        if (
          merged.audit?.level === 'NONE' &&
          merged.auth.some(({ owner }) => owner.some(({ root }) => root === 'result'))
        )
          this.#problem(coordinate, "cannot be undone where the result is not the owner's: give @audit another level");
        if (merged.isPublic || merged.audit || merged.auth.length + merged.rateLimits.length > 0)
          table.set(coordinate, merged);
      }
    }
    return table;
  }

  #isRoot(type: GraphQLNamedType): boolean {
    return this.#isRootName(type.name);
  }

  #isRootName(name: string): boolean {
    const roots = [this.#schema.getQueryType(), this.#schema.getMutationType(), this.#schema.getSubscriptionType()];
    return roots.some((root) => root?.name === name);
  }

  #problem(place: string, text: string): void {
    this.#problems.push(`${place} ${text}`);
  }
}
