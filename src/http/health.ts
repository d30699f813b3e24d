const checkDeadlineMs = 1_000;

/** Answers where a part that Nexus needs works, and rejects where it does not. */
export type HealthCheck = () => Promise<unknown>;

/** What `/health/ready` says. */
export type Readiness = {
  status: 'ok' | 'unavailable';
  dependencies: Record<string, { status: 'ok' | 'unavailable' }>;
};

/**
 * Asks every part at once, a second at most. Callers at the same time share one answer, so that whoever asks often does
 * not keep the database busy.
 */
export function createReadiness(checks: Record<string, HealthCheck>): () => Promise<Readiness> {
  let current: Promise<Readiness> | null = null;
  return () => {
    current ??= ask(checks).finally(() => {
      current = null;
    });
    return current;
  };
}

async function ask(checks: Record<string, HealthCheck>): Promise<Readiness> {
  const answers = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, { status: await statusOf(check) }] as const),
  );
  const status = answers.every(([, answer]) => answer.status === 'ok') ? 'ok' : 'unavailable';
  return { status, dependencies: Object.fromEntries(answers) };
}

async function statusOf(check: HealthCheck): Promise<'ok' | 'unavailable'> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), checkDeadlineMs);
  });
  try {
    await Promise.race([check(), deadline]);
    return 'ok';
  } catch {
    return 'unavailable';
  } finally {
    clearTimeout(timer);
  }
}
