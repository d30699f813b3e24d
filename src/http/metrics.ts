import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

const delayResolutionMs = 20;
const delayPercentile = 99;

/** What an app tells of itself; each app has its own. A name that is taken throws. */
export type Metrics = {
  /** A figure that is read whenever somebody asks for the metrics. */
  gauge(name: string, help: string, read: () => number): void;
  /** A figure that grows; answers what adds to it, 1 unless told, with a value for each of its labels. */
  counter<Label extends string>(name: string, help: string, labels: readonly Label[]): CountUp<Label>;
  /** All of them as text for Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Ends what measures by itself. */
  close(): void;
};

export type CountUp<Label extends string> = (labels: Record<Label, string>, units?: number) => void;

/** Metrics with the delay of this process's event loop, and nothing else yet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();

  const metrics: Metrics = {
    gauge(name, help, read) {
      new Gauge({
        ...{ name, help, registers: [registry] },
        collect() {
          this.set(read());
        },
      });
    },
    counter(name, help, labels) {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] });
      return (values, units = 1) => counter.inc(values, units);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => void delay.disable(),
  };
  metrics.gauge(
    'nexus_event_loop_delay_seconds',
    'How late timers are, the 99th percentile since this was last asked for.',
    () => {
      // The histogram has the time between its timers, which are as far apart as the resolution says.
      const lateMs = Math.max(0, delay.percentile(delayPercentile) / 1e6 - delayResolutionMs);
      delay.reset();
      return lateMs / 1000;
    },
  );
  return metrics;
}
