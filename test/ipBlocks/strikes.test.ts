import { expect, test } from 'vitest';
import { type EndedRequest, strikesOf } from '../../src/ipBlocks/strikes.ts';

const fine: EndedRequest = {
  status: 200,
  codes: [],
  operationType: 'query',
  failedAuthentications: 0,
  isOfForeignPage: false,
};

test.each<[string, Partial<EndedRequest>, object[]]>([
  ['a request without errors', {}, []],
  ['a missing credential', { status: 401, codes: ['UNAUTHENTICATED'] }, []],
  [
    'a bad credential',
    { status: 401, codes: ['UNAUTHENTICATED'], failedAuthentications: 1 },
    [['FAILED_AUTHENTICATION', 1]],
  ],
  ['log-ins under aliases', { codes: ['UNAUTHENTICATED'], failedAuthentications: 9 }, [['FAILED_AUTHENTICATION', 9]]],
  ['a caller who may not', { status: 403, codes: ['FORBIDDEN'] }, []],
  ['a limit that is used up', { status: 429, codes: ['RATE_LIMITED'] }, [['RATE_LIMIT_REFUSAL', 1]]],
  ['a limit of one field', { codes: ['RATE_LIMITED', 'RATE_LIMITED'] }, [['RATE_LIMIT_REFUSAL', 1]]],
  ['a document that is not valid', { status: 400, codes: ['GRAPHQL_VALIDATION_FAILED'], operationType: null }, []],
  ['an input that is wrong', { codes: ['BAD_USER_INPUT'] }, []],
  ['a subscription over POST', { status: 400, codes: ['BAD_REQUEST'], operationType: 'subscription' }, []],
  ['a page that is not there', { status: 404, codes: ['NOT_FOUND'], operationType: null }, []],
  ['a method that is not served', { status: 405, codes: ['BAD_REQUEST'], operationType: null }, []],
  ['a client that left', { status: 499, codes: ['BAD_REQUEST'], operationType: null }, []],
  ['a failure of ours', { status: 500, codes: ['INTERNAL_SERVER_ERROR'], operationType: null }, []],
  ['headers that are too large', { status: 431, codes: ['BAD_REQUEST'], operationType: null }, []],
  [
    'what a page of another site made a browser send',
    { status: 415, codes: ['BAD_REQUEST'], operationType: null, isOfForeignPage: true },
    [],
  ],
  ['a blocked address', { status: 403, codes: ['IP_BLOCKED'], operationType: null }, []],
  ...[400, 408, 413, 415].map((status): [string, Partial<EndedRequest>, object[]] => [
    `an unreadable request, ${status}`,
    { status, codes: ['BAD_REQUEST'], operationType: null },
    [['MALFORMED_REQUEST', 1]],
  ]),
  [
    'a document that cannot be parsed',
    { status: 400, codes: ['GRAPHQL_PARSE_FAILED'], operationType: null },
    [['MALFORMED_REQUEST', 1]],
  ],
])('%s counts for what it is', (_what, request, expected) => {
  expect(strikesOf({ ...fine, ...request }).map(({ kind, times }) => [kind, times])).toEqual(expected);
});
