import { z } from 'zod';
import { InputError, type Problem } from '../errors.ts';
import { instant, problemsOf } from '../graphql/input.ts';

const maxAheadMs = 60_000;
const maxMetrics = 64;
const maxBatchSize = 1000;
const metricName = /^[A-Za-z_][A-Za-z0-9_.]{0,63}$/;

/** 1 to 64 finite numbers by name; a bad name is never repeated in a problem. */
const metrics = z
  .custom<Record<string, number>>((value) => typeof value === 'object' && value !== null, 'must be an object')
  .superRefine((value, issues) => {
    const entries = Object.entries(value);
    if (entries.length < 1 || entries.length > maxMetrics) {
      issues.addIssue({ code: 'custom', message: `must hold 1 to ${maxMetrics} numbers` });
      return;
    }
    if (!entries.every(([name]) => metricName.test(name) && name !== '__proto__')) {
      issues.addIssue({
        code: 'custom',
        message: `must have names that match ${metricName.source}, __proto__ excepted`,
      });
    }
    for (const [name, number] of entries) {
      if (!Number.isFinite(number) && metricName.test(name)) {
        issues.addIssue({ code: 'custom', path: [name], message: 'must be a finite number' });
      }
    }
  });

/** A reading that may be stored. */
export const telemetryInput = z.object({
  agentId: z.string(),
  timestamp: instant.refine((date) => date.getTime() <= Date.now() + maxAheadMs, 'must be at most 60 seconds ahead'),
  metrics,
  status: z.enum(['ACTIVE', 'INACTIVE', 'OFFLINE']),
});
export type TelemetryInput = z.infer<typeof telemetryInput>;

/** The instants of Query.telemetry. */
export const telemetryRange = z.object({ from: instant.nullish(), to: instant.nullish() });

/** A reading of a batch that is not stored: its place, every problem as text, and the first wrong field. */
export type RejectedReading = { index: number; code: string; message: string; field: string };

/** The readings of a batch that may be stored, in their order, and the others; BAD_USER_INPUT unless it holds 1 to 1000. */
export function parseBatch(inputs: readonly unknown[]): { readings: TelemetryInput[]; rejected: RejectedReading[] } {
  if (inputs.length < 1 || inputs.length > maxBatchSize) {
    throw new InputError([{ field: 'inputs', message: `must hold 1 to ${maxBatchSize} readings` }]);
  }
  const readings: TelemetryInput[] = [];
  const rejected: RejectedReading[] = [];
  inputs.forEach((input, index) => {
    const parsed = telemetryInput.safeParse(input);
    if (parsed.success) readings.push(parsed.data);
    else rejected.push(rejectedReading(index, problemsOf(parsed.error)));
  });
  return { readings, rejected };
}

function rejectedReading(index: number, problems: Problem[]): RejectedReading {
  const { code, message } = new InputError(problems);
  return { index, code, message, field: problems[0]?.field ?? '' };
}
