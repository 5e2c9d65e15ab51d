import type { ContainerUsage } from './node-stats.ts';

/** The containers of a Pod that metrics show: the running ones, and of several with one name the one started last. */
export function runningContainers(containers: readonly ContainerUsage[]): ContainerUsage[] {
  const byName = new Map<string, ContainerUsage>();
  for (const container of containers) {
    if (!container.isRunning) continue;
    const other = byName.get(container.name);
    if (other === undefined || (other.startedMs ?? 0) <= (container.startedMs ?? 0)) byName.set(container.name, container);
  }
  return [...byName.values()];
}
