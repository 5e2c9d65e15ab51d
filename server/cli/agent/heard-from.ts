import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { findNodeCondition, isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import type { Node } from '../../../api/types/core-v1.ts';

/** The Nodes as they were before their agents were started. */
export interface EarlierNodes {
  readonly atMs: number;
  readonly resourceVersions: ReadonlyMap<string, string>;
}

export function earlierNodes(items: readonly DeepReadonly<Node>[], nowMs: number): EarlierNodes {
  return { atMs: nowMs, resourceVersions: new Map(items.map(({ metadata }) => [metadata.name ?? '', metadata.resourceVersion ?? ''])) };
}

/** Whether the node has reported since then that it is ready. What it reported before does not count. */
export function isReadySince(node: DeepReadonly<Node>, { atMs, resourceVersions }: EarlierNodes): boolean {
  const saidMs = findTime(findNodeCondition(node, 'Ready')?.lastHeartbeatTime) ?? 0;
  // Times are of whole seconds.
  const isLater = saidMs >= Math.floor(atMs / 1000) * 1000;
  return isNodeReady(node) && isLater && resourceVersions.get(node.metadata.name ?? '') !== node.metadata.resourceVersion;
}
