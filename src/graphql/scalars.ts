import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTime, GraphQLEmailAddress, GraphQLJSONObject, GraphQLSafeInt } from 'graphql-scalars';
import { canonicalEmail, maxSpellingLength } from '../auth/canonicalEmail.ts';
import { type Scope, scopes } from '../auth/roles.ts';

const agentIdFormat = /^agent-[a-z0-9]+$/;
const maxAgentIdLength = 64;

const agentId = textScalar(
  'AgentId',
  (text) => text.length <= maxAgentIdLength && agentIdFormat.test(text),
  'an AgentId is agent- followed by lower-case letters and digits, at most 64 characters',
);

const scope = textScalar('Scope', (text) => scopes.includes(text as Scope), 'there is no such scope');

/** Reads every spelling of an address as its canonical form, so that limits, resolvers and the audit log see one. */
const emailAddress = new GraphQLScalarType({
  ...GraphQLEmailAddress.toConfig(),
  parseValue: (value) => GraphQLEmailAddress.parseValue(typeof value === 'string' ? readEmail(value) : value),
  parseLiteral: (node) =>
    GraphQLEmailAddress.parseLiteral(node.kind === Kind.STRING ? { ...node, value: readEmail(node.value) } : node),
});

/** The scalars of the SDL. */
export const scalars = {
  AgentId: agentId,
  DateTime: GraphQLDateTime,
  EmailAddress: emailAddress,
  JSONObject: GraphQLJSONObject,
  SafeInt: GraphQLSafeInt,
  Scope: scope,
};

function readEmail(text: string): string {
  if (text.length > maxSpellingLength) throw new GraphQLError('an e-mail address is not that long');
  return canonicalEmail(text);
}

/** A scalar of texts that fit; the message never repeats the text. */
function textScalar(name: string, fits: (text: string) => boolean, message: string): GraphQLScalarType<string, string> {
  const parse = (value: unknown): string => {
    if (typeof value === 'string' && fits(value)) return value;
    throw new GraphQLError(message);
  };
  return new GraphQLScalarType<string, string>({
    name,
    serialize: (value) => String(value),
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
  });
}
