import type { PluginStatus } from './plugin-status.ts';

/** Why a pod fits nowhere. */
export interface FitFailure {
  readonly nodeCount: number;
  /** Set when a plugin refused before any node was looked at. */
  readonly preFilter?: PluginStatus;
  /** In words: a plugin failed, and nothing is known of the nodes. */
  readonly error?: string;
  /** Node name -> the status of the first plugin that refused it. */
  readonly byNode: ReadonlyMap<string, PluginStatus>;
  /** The plugins that refused the pod. The queue tries it again after one of their events. */
  readonly plugins: ReadonlySet<string>;
}

/** Upstream's text: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector.` */
export function formatFitFailure(failure: FitFailure): string {
  if (failure.error !== undefined) return failure.error;
  if (failure.nodeCount === 0) return 'no nodes available to schedule pods';
  const head = `0/${failure.nodeCount} nodes are available`;
  if (failure.preFilter) return `${head}: ${failure.preFilter.reasons.join(', ')}.`;
  const counts = new Map<string, number>();
  for (const { reasons } of failure.byNode.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return parts.length === 0 ? `${head}.` : `${head}: ${parts.join(', ')}.`;
}
