/** What a run cost this process, in milliseconds of CPU, and what it answered. */
export type Measured<Answer> = { cpuMs: number; answer: Answer };

/** The cheapest of the runs: each may pay for the memory of others, the first ones for the compilers. */
export async function measureCpu<Answer>(
  runs: number,
  run: (turn: number) => Promise<Answer>,
): Promise<Measured<Answer>> {
  let cheapest: Measured<Answer> | undefined;
  for (let turn = 0; turn < runs; turn++) {
    const before = process.cpuUsage();
    const answer = await run(turn);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    if (!cheapest || cpuMs < cheapest.cpuMs) cheapest = { cpuMs, answer };
  }
  if (!cheapest) throw new Error('Nothing was run.');
  return cheapest;
}
