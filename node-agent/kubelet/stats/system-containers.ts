import { formatTime } from '../../../api/meta/time.ts';
import type { ProcessUsage } from '../../linux/machine/process-usage.ts';

/** The usage of the node's own processes. Absent if they are not ours, or have just ended. */
export interface SystemUsage {
  readonly kubelet?: ProcessUsage;
  readonly runtime?: ProcessUsage;
}

/** `rate`: nanocores of a growing counter of that name. */
export function systemContainers(
  { kubelet, runtime }: SystemUsage,
  timeMs: number,
  rate: (name: string, usageCoreNanoSeconds: number) => number | undefined,
): unknown[] {
  const time = formatTime(timeMs);
  return Object.entries({ kubelet, runtime }).flatMap(([name, usage]) => {
    if (!usage) return [];
    const usageNanoCores = rate(name, usage.cpuNanoSeconds);
    return [
      {
        name,
        startTime: formatTime(usage.startedMs),
        cpu: { time, ...(usageNanoCores === undefined ? {} : { usageNanoCores }), usageCoreNanoSeconds: usage.cpuNanoSeconds },
        memory: { time, ...usage.memory },
      },
    ];
  });
}
