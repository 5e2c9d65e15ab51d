import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isStaticPod } from '../../../api/semantics/pods/is-static-pod.ts';

/** The time that Pods of a priority, and of all above it up to the next period, have to end. */
interface ShutdownPeriod {
  readonly priority: number;
  readonly graceSeconds: number;
}

/** In ascending order of priority, which is the order in which Pods are ended (KEP-2712). None: Pods are not ended. */
export type ShutdownPeriods = readonly ShutdownPeriod[];

export interface ShutdownFlags {
  readonly shutdownGracePeriod: string;
  readonly shutdownGracePeriodCriticalPods: string;
  readonly shutdownGracePeriodByPodPriority: string;
}

export const defaultShutdownFlags: ShutdownFlags = {
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
  shutdownGracePeriodByPodPriority: '',
};

/** From which Pods are critical to the cluster. */
const criticalPriority = 2_000_000_000;

/** A total whose end belongs to critical Pods alone (KEP-2000). */
export function periodsOf(graceSeconds: number, criticalGraceSeconds: number): ShutdownPeriods {
  if (graceSeconds === 0) return [];
  return [
    { priority: 0, graceSeconds: graceSeconds - criticalGraceSeconds },
    { priority: criticalPriority, graceSeconds: criticalGraceSeconds },
  ];
}

/** Reads the kubelet's settings of these names; throws an Error with upstream's words where they cannot be. */
export function parseShutdownFlags(flags: ShutdownFlags): ShutdownPeriods {
  const total = secondsOf('shutdownGracePeriod', flags.shutdownGracePeriod);
  const critical = secondsOf('shutdownGracePeriodCriticalPods', flags.shutdownGracePeriodCriticalPods);
  if (critical > total)
    throw new Error(`invalid configuration: shutdownGracePeriodCriticalPods {${critical}s} must be <= shutdownGracePeriod {${total}s}`);
  if (flags.shutdownGracePeriodByPodPriority === '') return periodsOf(total, critical);
  if (total > 0)
    throw new Error('invalid configuration: cannot specify shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time');
  return parsePeriods(flags.shutdownGracePeriodByPodPriority);
}

function secondsOf(field: string, text: string): number {
  const seconds = parseDurationMs(text) / 1000;
  if (seconds < 0) throw new Error(`invalid configuration: ${field} ${text} must be >= 0`);
  if (seconds > 0 && seconds < 1) throw new Error(`invalid configuration: ${field} {${text}} must be either zero or otherwise >= 1 sec`);
  return seconds;
}

function parsePeriods(text: string): ShutdownPeriods {
  const periods = text.split(',').map((item) => {
    const [priority = '', duration = ''] = item.split('=');
    if (!/^-?\d+$/.test(priority))
      throw new Error(`shutdownGracePeriodByPodPriority: "${item}" is not a priority and a duration, such as 100000=30s`);
    return { priority: Number(priority), graceSeconds: secondsOf('shutdownGracePeriodByPodPriority', duration) };
  });
  const ascending = periods.sort((a, b) => a.priority - b.priority);
  const twice = ascending.find(({ priority }, index) => ascending[index + 1]?.priority === priority);
  if (twice) throw new Error(`shutdownGracePeriodByPodPriority: priority ${twice.priority} is given twice`);
  return ascending;
}

export function totalSeconds(periods: ShutdownPeriods): number {
  return periods.reduce((sum, { graceSeconds }) => sum + graceSeconds, 0);
}

/** The index of the period that holds for a Pod: the last whose priority the Pod reaches, or the first. */
export function periodIndexOf(pod: DeepReadonly<Pod>, periods: ShutdownPeriods): number {
  const own = pod.spec?.priority ?? 0;
  // A manifest of the node cannot be expected to have a priority.
  const priority = isStaticPod(pod) ? Math.max(own, criticalPriority) : own;
  return Math.max(
    0,
    periods.findLastIndex((period) => period.priority <= priority),
  );
}
