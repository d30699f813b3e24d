import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';

let app: TestApp;
let agentKey: Credential;

beforeAll(async () => {
  app = await startApp();
  const admin = { bearer: app.admin.accessToken };
  const key = await app.createKey({ agentId: 'agent-own', scopes: ['tasks:read', 'telemetry:read'] });
  agentKey = { bearer: key.secret };
  for (const agentId of ['agent-own', 'agent-foreign']) {
    const input = { agentId, timestamp: '2026-01-01T00:00:00Z', metrics: { [agentId.slice(6)]: 1 }, status: 'ACTIVE' };
    await app.succeed(operation('SubmitTelemetry'), { input }, admin);
    const task = { name: `of ${agentId}`, type: 'ANALYSIS', assignedTo: agentId };
    await app.succeed(operation('CreateTask'), { input: task }, admin);
  }
});
afterAll(() => app.stop());

test("an agent's key lists its own agent alone, from whichever cursor", async () => {
  const { agents } = await app.succeed(operation('Agents'), { first: 100 }, agentKey);
  expect(agents.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(['agent-own']);
  const beforeAll = Buffer.from(JSON.stringify('agent-a')).toString('base64url');
  expect((await app.request(operation('Agents'), { after: beforeAll }, agentKey)).text).not.toContain('foreign');
});

test("an agent's key reads its own agent with tasks and telemetry", async () => {
  const { agent } = await app.succeed(operation('Agent'), { id: 'agent-own' }, agentKey);
  expect(agent).toMatchObject({ id: 'agent-own', latestTelemetry: { metrics: { own: 1 } }, tasks: { edges: [{}] } });
});

test("an agent's key cannot tell another agent from one that does not exist", async () => {
  const [foreign, unknown] = await Promise.all(
    ['agent-foreign', 'agent-unknown'].map((id) => app.request(operation('Agent'), { id }, agentKey)),
  );
  expect([foreign?.status, foreign?.text]).toEqual([unknown?.status, unknown?.text]);
  expect(foreign?.text).not.toContain('foreign');
});

test('a scope for tasks shows no telemetry, and one for telemetry no tasks', async () => {
  for (const [scope, hidden] of [
    ['tasks:read', 'latestTelemetry'],
    ['telemetry:read', 'tasks'],
  ] as const) {
    const key = await app.createKey({ scopes: [scope] });
    const answer = await app.request(operation('Agent'), { id: 'agent-foreign' }, { bearer: key.secret });
    expect(answer.data.agent).toMatchObject({ id: 'agent-foreign', [hidden]: null });
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
  }
});
