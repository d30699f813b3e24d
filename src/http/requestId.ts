import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { redactText } from '../log/redactText.ts';

const accepted = /^[A-Za-z0-9._-]{8,128}$/;

/** The id of a request: the client's X-Request-Id where it is fit for logs and headers and no credential, else a UUID. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  const isFit = typeof given === 'string' && accepted.test(given) && redactText(given) === given;
  return isFit ? given : randomUUID();
}
