import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, freshRedisUrl } from './support/databases.ts';
import { startNexus } from './support/nexusProcess.ts';
import { send } from './support/send.ts';

const slow = 90_000;
const readings = 4032;
const batchSize = 500;
const minutesBetweenReadings = 5;
const credentialsShown = /e-mail: +(\S+)\n +password: +(\S+)/;

const submit = `mutation($inputs: [TelemetryInput!]!) {
  submitTelemetryBatch(inputs: $inputs) { accepted duplicates rejected { index code } }
}`;
const readPage = `query($agentId: AgentId!, $after: String) {
  telemetry(agentId: $agentId, first: 100, after: $after) { edges { node { timestamp } } pageInfo { hasNextPage endCursor } }
}`;

/** The script in the README that does the main job, as its readers copy it. */
async function walkThrough(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, script] = /^```sh walk-through\n(.*?)^```$/ms.exec(readme) ?? [];
  if (script === undefined) throw new Error('The README has no walk-through.');
  return script;
}

/** Runs it as it stands, then prints the variables that the rest of the test goes on with. */
async function followReadme(url: string, email: string, password: string) {
  const script = `${await walkThrough()}\necho; echo "KEY=$KEY_ID"; echo "TASK=$TASK_ID"; echo "AGENT=$AGENT"\n`;
  const env = { PATH: process.env.PATH, NEXUS: `${url}/graphql`, EMAIL: email, PASSWORD: password };
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], { env });
  expect(stderr).toBe('');
  const kept = stdout.slice(stdout.lastIndexOf('\nKEY='));
  const answers = stdout
    .slice(0, -kept.length)
    .split(/\n|(?<=\})(?=\{"(?:data|errors)")/)
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
  const variable = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(kept)?.[1] ?? '';
  return {
    answers,
    keyId: variable('KEY'),
    taskId: variable('TASK'),
    agentSecret: variable('AGENT').replace('Authorization: Bearer ', ''),
  };
}

/** As many readings as a fortnight of NAB's ec2_cpu_utilization has, the last one now. */
function fortnight() {
  const last = Math.floor(Date.now() / 1000) * 1000;
  return Array.from({ length: readings }, (_, index) => ({
    agentId: 'agent-1',
    timestamp: new Date(last - (readings - 1 - index) * minutesBetweenReadings * 60_000).toISOString(),
    metrics: { cpu: Math.round((50 + 45 * Math.sin(index / 40)) * 1000) / 1000 },
    status: 'ACTIVE',
  }));
}

describe.each(['embedded', 'on Postgres and Redis'])('%s', (storage) => {
  test('the walk-through of the README does the main job, and a fortnight of readings comes back to the last one', {
    timeout: slow,
  }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'nexus-readme-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const nexus = await startNexus(directory, storage === 'embedded' ? {} : await servers());
    onTestFinished(async () => {
      await nexus.end('SIGKILL');
    });
    const [, email = '', password = ''] = credentialsShown.exec(nexus.output()) ?? [];

    const { answers, keyId, taskId, agentSecret } = await followReadme(nexus.url, email, password);

    expect(answers.slice(0, 2).map(({ data }) => ({ data }))).toEqual([
      { data: { task: { name: 'Watch the CPU', parameters: { threshold: 0.9 } } } },
      { data: { submitTelemetryBatch: { accepted: 2, duplicates: 0, rejected: [] } } },
    ]);
    const [, , rotation, audit] = answers;
    expect(answers).toHaveLength(4);
    expect(rotation.data.rotateApiKey.secret).toMatch(/^nxk_test_\w{49}$/);
    const stillSeconds = (Date.parse(rotation.data.rotateApiKey.apiKey.previousExpiresAt) - Date.now()) / 1000;
    expect(stillSeconds).toBeGreaterThan(30);
    expect(stillSeconds).toBeLessThanOrEqual(60);
    const events = audit.data.auditEvents.edges.map(({ node }: { node: { action: string; outcome: string } }) => node);
    expect(events.map(({ action, outcome }: { action: string; outcome: string }) => `${action} ${outcome}`)).toEqual([
      'apiKey.rotate SUCCEEDED',
      'task.create SUCCEEDED',
      'apiKey.create SUCCEEDED',
      'session.create SUCCEEDED',
    ]);
    expect(events[0].targets).toEqual([{ type: 'apiKey', id: keyId }]);
    expect(events[1].targets).toContainEqual({ type: 'task', id: taskId });
    expect(events[1].actor.kind).toBe('USER');

    const bearer = { bearer: rotation.data.rotateApiKey.secret };
    const inputs = fortnight();
    expect(await submitAll(nexus.url, inputs, bearer)).toEqual({ accepted: readings, duplicates: 0 });
    // The old secret of the rotated key still works for its minute; the readings are known by now.
    const again = await submitAll(nexus.url, inputs, { bearer: agentSecret });
    expect(again).toEqual({ accepted: 0, duplicates: readings });

    const timestamps = await readAll(nexus.url, bearer);
    const sent = inputs
      .map(({ timestamp }) => timestamp)
      .concat('2026-01-01T00:00:00.000Z', '2026-01-01T00:05:00.000Z');
    expect(timestamps.sort()).toEqual(sent.sort());
  });
});

async function servers(): Promise<Record<string, string>> {
  const database = await createDatabase();
  onTestFinished(database.drop);
  return { DATABASE_URL: database.url, REDIS_URL: await freshRedisUrl() };
}

async function submitAll(url: string, inputs: object[], credential: { bearer: string }) {
  const sum = { accepted: 0, duplicates: 0 };
  for (let from = 0; from < inputs.length; from += batchSize) {
    const { data, text } = await send(url, submit, { inputs: inputs.slice(from, from + batchSize) }, credential);
    if (!data?.submitTelemetryBatch) throw new Error(`The batch failed: ${text}`);
    expect(data.submitTelemetryBatch.rejected).toEqual([]);
    sum.accepted += data.submitTelemetryBatch.accepted;
    sum.duplicates += data.submitTelemetryBatch.duplicates;
  }
  return sum;
}

async function readAll(url: string, credential: { bearer: string }): Promise<string[]> {
  const timestamps: string[] = [];
  for (let after: string | null = null; ; ) {
    const { data, text } = await send(url, readPage, { agentId: 'agent-1', after }, credential);
    if (!data?.telemetry) throw new Error(`The page failed: ${text}`);
    timestamps.push(...data.telemetry.edges.map(({ node }: { node: { timestamp: string } }) => node.timestamp));
    if (!data.telemetry.pageInfo.hasNextPage) return timestamps;
    after = data.telemetry.pageInfo.endCursor;
  }
}
