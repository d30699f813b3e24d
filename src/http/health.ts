const checkDeadlineMs = 1_000;

/** Answers where a part that Nexus needs works, and rejects where it does not. */
export type HealthCheck = () => Promise<unknown>;

/** A part that Nexus works with, or, where it is not needed, works less well without. */
export type Dependency = { check: HealthCheck; isNeeded: boolean };

/** What `/health/ready` says. Degraded: it serves, and a part that is not needed does not answer. */
export type Readiness = {
  status: 'ok' | 'degraded' | 'unavailable';
  dependencies: Record<string, { status: 'ok' | 'unavailable' }>;
};

/**
 * Asks every part at once, a second at most. Callers at the same time share one answer, so that whoever asks often does
 * not keep the database busy.
 */
export function createReadiness(parts: Record<string, Dependency>): () => Promise<Readiness> {
  let current: Promise<Readiness> | null = null;
  return () => {
    current ??= ask(parts).finally(() => {
      current = null;
    });
    return current;
  };
}

async function ask(parts: Record<string, Dependency>): Promise<Readiness> {
  const answers = await Promise.all(
    Object.entries(parts).map(async ([name, { check }]) => [name, { status: await statusOf(check) }] as const),
  );
  const missing = answers.filter(([, { status }]) => status !== 'ok').map(([name]) => name);
  const isServing = missing.every((name) => parts[name]?.isNeeded === false);
  const status = !isServing ? 'unavailable' : missing.length > 0 ? 'degraded' : 'ok';
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
