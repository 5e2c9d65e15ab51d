import type { Protocol } from '../load/task.ts';
import type { Observation } from '../observe.ts';
import type { ScenarioContext } from './scenario.ts';

export function loadOf({ protocol, concurrency }: { readonly protocol: Protocol; readonly concurrency: number }): string {
  return `${protocol} ×${concurrency}`;
}

const millis = (seconds: number | undefined, count: number) =>
  seconds === undefined || count === 0 ? undefined : (seconds / count) * 1000;

export function recordRequests(context: ScenarioContext, subject: string, load: string, observation: Observation): void {
  const { count, elapsedSeconds, latencies, serverCPUSeconds, storeCPUSeconds, remarks } = observation;
  context.record(
    { subject, load },
    {
      perSecond: count / elapsedSeconds,
      p50: latencies.p50Ms,
      p99: latencies.p99Ms,
      serverCPU: millis(serverCPUSeconds, count),
      storeCPU: millis(storeCPUSeconds, count),
    },
  );
  context.remark(`${subject} ${load}`, remarks);
}
