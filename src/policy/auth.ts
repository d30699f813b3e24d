import { ownIdOf, type Principal } from '../auth/principal.ts';
import { includesRole } from '../auth/roles.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotFoundError, ReauthenticationRequiredError, UnauthenticatedError } from '../errors.ts';
import { valuesAt } from './paths.ts';
import { and, decide, or, rule, type ShieldRule } from './shield.ts';
import type { AuthRule, OwnerPath } from './table.ts';

/** What the owner rules look at beside the arguments. `result` is absent before the resolver has run. */
type Subject = { parent: unknown; result?: unknown };

/** What can be said before the resolver: allowed, refused, or dependent on objects that are not there yet. */
export type EarlyVerdict = true | Error | 'depends';

/** Decides one @auth, by shield rules: kind ∧ scopes ∧ (role ∨ owner) ∧ age. */
export class AuthGuard {
  readonly #rule: AuthRule;
  readonly #identified: ShieldRule;
  readonly #byRole: ShieldRule;
  readonly #asOwner: ShieldRule;
  readonly #recent: ShieldRule;
  readonly #verdictsByRole = new WeakMap<object, true | Error>();

  constructor(authRule: AuthRule) {
    const conditions = [isOfKind(authRule), hasScopes(authRule)];
    this.#rule = authRule;
    this.#identified = and(...conditions, isRecent(authRule));
    this.#byRole = and(...conditions, hasRole(authRule));
    this.#asOwner = and(...conditions, or(...authRule.owner.map(owns)), isRecent(authRule));
    this.#recent = isRecent(authRule);
  }

  /** Whether the result takes part in the decision. */
  get looksAtResult(): boolean {
    return this.#rule.owner.some(({ root }) => root === 'result');
  }

  /** Before any resolver has run, by the arguments alone. */
  async early(args: () => object, ctx: Context): Promise<EarlyVerdict> {
    const byRole = await this.#decideByRole(ctx);
    if (byRole === true || this.#rule.owner.length === 0) return byRole;
    if (this.#rule.owner.every(({ root }) => root === 'args')) return decide(this.#asOwner, {}, args(), ctx);
    const identified = await decide(this.#identified, {}, {}, ctx);
    return identified === true ? 'depends' : identified;
  }

  /** Before the resolver of the field: passes where the result may still make the caller the owner. */
  async before(parent: unknown, args: object, ctx: Context): Promise<true | Error> {
    const byRole = await this.#decideByRole(ctx);
    if (byRole === true || this.#rule.owner.length === 0) return byRole;
    if (this.looksAtResult) return decide(this.#identified, { parent }, args, ctx);
    return decide(this.#asOwner, { parent }, args, ctx);
  }

  /** After the resolver. Nothing found is nobody's, and passes; another owner's is as if it were not there. */
  async after(parent: unknown, args: object, result: unknown, ctx: Context): Promise<true | Error> {
    if (!this.looksAtResult || result == null) return true;
    if ((await this.#decideByRole(ctx)) === true) return true;
    const verdict = await decide(this.#asOwner, { parent, result }, args, ctx);
    return verdict instanceof ForbiddenError ? new NotFoundError('object') : verdict;
  }

  /** Whether this caller is known to pass whatever the objects are: nothing is left to decide then. */
  isKnownToPass({ caller }: Context): boolean {
    return caller !== null && this.#verdictsByRole.get(caller) === true && isRecentLogin(caller, this.#rule);
  }

  async #decideByRole(ctx: Context): Promise<true | Error> {
    const verdict = await this.#decideByPrincipal(ctx);
    return verdict === true ? decide(this.#recent, {}, {}, ctx) : verdict;
  }

  /** Depends on nothing but the principal, which never changes, so it is decided once for each principal. */
  async #decideByPrincipal(ctx: Context): Promise<true | Error> {
    const known = ctx.caller && this.#verdictsByRole.get(ctx.caller);
    if (known) return known;
    const verdict = await decide(this.#byRole, {}, {}, ctx);
    if (ctx.caller) this.#verdictsByRole.set(ctx.caller, verdict);
    return verdict;
  }
}

function isOfKind({ credentials, origin }: AuthRule): ShieldRule {
  return rule(`${origin} credentials ${credentials.join()}`, { cache: 'no_cache' })(
    (_subject, _args, { caller }: Context) => {
      if (!caller) return new UnauthenticatedError();
      return credentials.length === 0 || credentials.includes(caller.kind) || new ForbiddenError();
    },
  );
}

function hasScopes({ scopes, origin }: AuthRule): ShieldRule {
  const sets = scopes.map((set) =>
    and(
      ...set.map((scope) =>
        rule(`${origin} scope ${scope}`, { cache: 'no_cache' })(
          (_subject, _args, { caller }: Context) => caller?.scopes.has(scope) || new ForbiddenError(),
        ),
      ),
    ),
  );
  return sets.length === 0 ? pass : or(...sets);
}

function hasRole({ roles, owner, origin }: AuthRule): ShieldRule {
  if (roles.length === 0 && owner.length === 0) return pass;
  return rule(`${origin} roles ${roles.join()}`, { cache: 'no_cache' })(
    (_subject, _args, { caller }: Context) =>
      roles.some((role) => includesRole(caller?.roles ?? [], role)) || new ForbiddenError(),
  );
}

function isRecent(authRule: AuthRule): ShieldRule {
  return rule(`${authRule.origin} age`, { cache: 'no_cache' })(
    (_subject, _args, { caller }: Context) =>
      (caller !== null && isRecentLogin(caller, authRule)) || new ReauthenticationRequiredError(),
  );
}

function isRecentLogin({ authenticatedAt }: Principal, { maxAgeSeconds }: AuthRule): boolean {
  if (maxAgeSeconds === null || authenticatedAt === null) return true;
  return Date.now() - authenticatedAt <= maxAgeSeconds * 1000;
}

function owns({ root, segments, text }: OwnerPath): ShieldRule {
  return rule(`owner ${text}`, { cache: 'no_cache' })((subject: Subject, args: unknown, { caller }: Context) => {
    const ids = valuesAt(root === 'args' ? args : subject[root], segments);
    const ownId = ownIdOf(caller);
    const isEmptyResult = ids.length === 0 && root === 'result';
    if (ownId !== null && (isEmptyResult || (ids.length > 0 && ids.every((id) => id === ownId)))) return true;
    return new ForbiddenError();
  });
}

const pass: ShieldRule = rule('pass', { cache: 'no_cache' })(() => true);
