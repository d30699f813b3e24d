import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';

let app: TestApp;
let agentKey: Credential;

beforeAll(async () => {
  app = await startApp();
  agentKey = {
    bearer: (await app.createKey({ agentId: 'agent-own', scopes: ['telemetry:read', 'telemetry:write'] })).secret,
  };
  const foreign = reading('agent-foreign', { secret_of_foreign: 1 });
  await app.succeed(operation('SubmitTelemetry'), { input: foreign }, { bearer: app.admin.accessToken });
});
afterAll(() => app.stop());

let seconds = 0;
function reading(agentId: string, metrics = { cpu: 1 } as Record<string, number>) {
  return {
    agentId,
    timestamp: new Date(Date.UTC(2026, 0, 1) + seconds++ * 1000).toISOString(),
    metrics,
    status: 'ACTIVE',
  };
}

const stored = () => app.sql`select agent_id, timestamp from telemetry order by 1, 2`;
const submit = (input: object, credential: Credential) =>
  app.request(operation('SubmitTelemetry'), { input }, credential);
const submitBatch = (inputs: object[], credential: Credential) =>
  app.request(operation('SubmitTelemetryBatch'), { inputs }, credential);

describe("an agent's key", () => {
  test('sends and reads what is of its own agent', async () => {
    const one = reading('agent-own');
    expect(codesOf(await submit(one, agentKey))).toEqual([]);
    expect((await submitBatch([reading('agent-own'), one], agentKey)).data.submitTelemetryBatch).toMatchObject({
      ...{ accepted: 1, duplicates: 1 },
    });
    const { telemetry } = await app.succeed(operation('Telemetry'), { agentId: 'agent-own' }, agentKey);
    expect(telemetry.edges).toHaveLength(2);
  });

  test('sends nothing in the name of another agent, known or not', async () => {
    const before = await stored();
    for (const agentId of ['agent-foreign', 'agent-unknown', 'agent-own2']) {
      const answer = await submit(reading(agentId), agentKey);
      expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
    }
    expect(await stored()).toEqual(before);
    expect(await app.sql`select 1 from agents where id in ('agent-unknown', 'agent-own2')`).toHaveLength(0);
  });

  test.each([0, 1, 2])('is refused a whole batch for one reading of another agent, at place %i', async (place) => {
    const before = await stored();
    const inputs = [0, 1, 2].map((index) => reading(index === place ? 'agent-foreign' : 'agent-own'));
    const answer = await submitBatch(inputs, agentKey);
    expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
    expect(await stored()).toEqual(before);
  });

  test('reads nothing of another agent, and cannot tell it from one that does not exist', async () => {
    const { telemetry } = await app.succeed(
      operation('Telemetry'),
      { agentId: 'agent-foreign' },
      { bearer: app.admin.accessToken },
    );
    expect(JSON.stringify(telemetry)).toContain('secret_of_foreign');
    const [foreign, unknown] = await Promise.all(
      ['agent-foreign', 'agent-unknown'].map((agentId) => app.request(operation('Telemetry'), { agentId }, agentKey)),
    );
    expect([foreign?.status, foreign?.text]).toEqual([unknown?.status, unknown?.text]);
    expect(foreign?.text).not.toMatch(/foreign/);
  });

  test('keeps to its agent when its owner is an ADMIN', async () => {
    const { me } = await app.succeed(operation('Me'), {}, agentKey);
    expect(me).toMatchObject({ kind: 'API_KEY', roles: ['AGENT'], user: { id: app.admin.id, roles: ['ADMIN'] } });
  });
});

test.each(['OPERATOR', 'VIEWER'])('a person who is %s sends no telemetry', async (role) => {
  const person = await app.createPerson(role);
  const before = await stored();
  for (const answer of [
    await submit(reading('agent-own'), { bearer: person.accessToken }),
    await submitBatch([reading('agent-own')], { bearer: person.accessToken }),
  ])
    expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
  expect(await stored()).toEqual(before);
});
