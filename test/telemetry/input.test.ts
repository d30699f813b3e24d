import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseInput } from '../../src/graphql/input.ts';
import { parseBatch, telemetryInput } from '../../src/telemetry/input.ts';

const reading = () => ({ agentId: 'agent-a1', timestamp: new Date(), metrics: { cpu: 0.5 }, status: 'ACTIVE' });
const manyMetrics = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 1]));

describe('a reading', () => {
  test.each([[{ cpu: 0 }], [{ _a: -1.5e308, 'A.b_9': 5e-324 }], [{ ['x'.repeat(64)]: 1 }], [manyMetrics(64)]])(
    'may have the metrics %j',
    (metrics) => {
      expect(telemetryInput.parse({ ...reading(), metrics }).metrics).toEqual(metrics);
    },
  );

  test.each([
    ['metrics', {}],
    ['metrics', manyMetrics(65)],
    ['metrics', { '1cpu': 1 }],
    ['metrics', { '.cpu': 1 }],
    ['metrics', { 'cpu load': 1 }],
    ['metrics', { 'cpu\n': 1 }],
    ['metrics', { ['x'.repeat(65)]: 1 }],
    ['metrics', JSON.parse('{"__proto__": 1}')],
    ['metrics.cpu', { cpu: true }],
    ['metrics.cpu', { cpu: '1' }],
    ['metrics.cpu', { cpu: null }],
    ['metrics.cpu', { cpu: Number('1e400') }],
    ['metrics.cpu', { cpu: Number.NaN }],
    ['metrics.cpu', { cpu: [1] }],
  ])('has a problem at %s with the metrics %j', (field, metrics) => {
    expect(fieldsOf({ ...reading(), metrics })).toEqual([`input.${field}`]);
  });

  test('has every problem reported at once, and no bad name repeated', () => {
    const timestamp = new Date(Date.now() + 61_000);
    const input = { ...reading(), timestamp, metrics: { cpu: '1', disk: null, '<script>': 1 } };
    expect(fieldsOf(input)).toEqual(['input.timestamp', 'input.metrics', 'input.metrics.cpu', 'input.metrics.disk']);
    expect(() => parseInput(telemetryInput, input, 'input')).not.toThrow('<script>');
  });

  test.each([
    ['59 seconds ahead', new Date(Date.now() + 59_000), true],
    ['61 seconds ahead', new Date(Date.now() + 61_000), false],
    ['in the year 1', new Date('0001-01-01T00:00:00Z'), true],
    ['in the year 0, which Postgres does not know', new Date('0000-12-31T23:59:59.999Z'), false],
    ['that is no time', new Date(Number.NaN), false],
  ])('with a timestamp %s: %s is accepted: %s', (_what, timestamp, isAccepted) => {
    expect(telemetryInput.safeParse({ ...reading(), timestamp }).success).toBe(isAccepted);
  });
});

describe('a batch', () => {
  test.each([0, 1001])('of %i readings is refused as a whole', (count) => {
    expect(() => parseBatch(Array.from({ length: count }, reading))).toThrow(/^inputs: must hold 1 to 1000 readings$/);
  });

  test('names its bad readings with every problem of each, and keeps the good ones in their order', () => {
    const good = [reading(), { ...reading(), agentId: 'agent-a2' }];
    const bad = { ...reading(), timestamp: new Date(Date.now() + 61_000), metrics: { cpu: 'x' } };
    const { readings, rejected } = parseBatch([good[0], bad, good[1]]);
    expect(readings).toEqual(good);
    expect(rejected).toEqual([
      {
        index: 1,
        code: 'BAD_USER_INPUT',
        message: 'timestamp: must be at most 60 seconds ahead; metrics.cpu: must be a finite number',
        field: 'timestamp',
      },
    ]);
  });
});

function fieldsOf(input: unknown): string[] {
  try {
    parseInput(telemetryInput, input, 'input');
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return (error.extensions.problems as { field: string }[]).map(({ field }) => field);
  }
}
