import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Node, NodeCondition } from '../../../api/types/core-v1.ts';

/** The conditions that become Unknown when the kubelet is silent. */
const vouchedByKubelet = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/** The conditions of a node whose kubelet has been silent for too long; the same array if they say so already. */
export function conditionsOfSilentNode(node: DeepReadonly<Node>, now: string): readonly DeepReadonly<NodeCondition>[] {
  const present = node.status?.conditions ?? [];
  let conditions: readonly DeepReadonly<NodeCondition>[] = present;
  for (const type of vouchedByKubelet) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const condition = conditions[index];
    if (condition === undefined) {
      const created = node.metadata.creationTimestamp;
      conditions = [
        ...conditions,
        {
          type,
          status: 'Unknown',
          ...(created === undefined ? {} : { lastHeartbeatTime: created }),
          lastTransitionTime: now,
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
        },
      ];
    } else if (condition.status !== 'Unknown') {
      conditions = conditions.with(index, {
        ...condition,
        status: 'Unknown',
        lastTransitionTime: now,
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      });
    }
  }
  return conditions;
}
