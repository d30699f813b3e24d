import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

const noQueriesByGet = 'GET /graphql is for browsers in development: a query in a URL is kept in every log on the way.';
const sameStatusForBothTypes =
  'The status does not depend on Accept: 400 is what Apollo Server answers, and what the request event tells.';

/** What we do not do, of what the specification recommends or allows; nothing that it demands. */
const deviations: Record<string, string> = {
  'MAY accept application/x-www-form-urlencoded formatted GET requests': noQueriesByGet,
  'MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/graphql-response+json':
    noQueriesByGet,
  'MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/json': noQueriesByGet,
  'SHOULD use 200 status code on document parsing failure when accepting application/json': sameStatusForBothTypes,
  'SHOULD use 200 status code on document validation failure when accepting application/json': sameStatusForBothTypes,
  'SHOULD use a status code of 200 on variable coercion failure when accepting application/json':
    sameStatusForBothTypes,
};

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

test('the GraphQL-over-HTTP audits of graphql-http find no error, and no deviation but the named ones', async () => {
  const audits = serverAudits({ url: `${app.url}/graphql` });
  const results = await Promise.all(audits.map((audit) => audit.fn()));

  expect(results.length).toBeGreaterThan(50);
  expect(results.filter(({ status }) => status === 'error')).toEqual([]);
  const found = results.filter(({ status }) => status !== 'ok').map(({ name }) => name);
  expect(found.sort()).toEqual(Object.keys(deviations).sort());
});
