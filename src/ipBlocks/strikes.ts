/** What too many of come before an automatic block. */
export type StrikeKind = 'FAILED_AUTHENTICATION' | 'RATE_LIMIT_REFUSAL' | 'MALFORMED_REQUEST';

/** So many of a kind in one request. */
export type Strike = { kind: StrikeKind; times: number };

/** What is known of a request when it has ended. */
export type EndedRequest = {
  status: number;
  /** The codes of the errors in the answer. */
  codes: readonly string[];
  /** Null where no operation was found in it. */
  operationType: string | null;
  /** How many credentials and passwords came with it that did not work. */
  failedAuthentications: number;
  /** Whether a page of another site made a browser send it. */
  isOfForeignPage: boolean;
};

/**
 * Of requests that cannot be read, not of those that are wrong in what they ask; a client that left is none. Headers that
 * are too large (431) a browser sends for whoever has set it too many cookies, and for any page with a link that is long.
 */
const malformedStatuses = new Set([400, 408, 413, 415]);
const malformedCodes = new Set(['BAD_REQUEST', 'GRAPHQL_PARSE_FAILED']);

/**
 * What the request counts for. A credential that is missing, and a document that is not valid, are ordinary mistakes; and
 * no page may have the network of its readers blocked.
 */
export function strikesOf(request: EndedRequest): Strike[] {
  const { status, codes, operationType, failedAuthentications, isOfForeignPage } = request;
  const isRefusedByLimit = status === 429 || codes.includes('RATE_LIMITED');
  const isMalformed =
    !isOfForeignPage &&
    operationType === null &&
    malformedStatuses.has(status) &&
    codes.some((code) => malformedCodes.has(code));
  const strikes: Strike[] = [
    { kind: 'FAILED_AUTHENTICATION', times: failedAuthentications },
    { kind: 'RATE_LIMIT_REFUSAL', times: Number(isRefusedByLimit) },
    { kind: 'MALFORMED_REQUEST', times: Number(isMalformed) },
  ];
  return strikes.filter(({ times }) => times > 0);
}
