import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import { referenceTo } from '../../api/client/events/event-recorder.ts';
import { keyOf } from '../../api/meta/object.ts';
import { hasReason } from '../../api/meta/status.ts';
import { formatTime } from '../../api/meta/time.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import type { Pod, PodCondition } from '../../api/types/core-v1.ts';
import type { SchedulerCache } from './cache/scheduler-cache.ts';
import { type Preemption, preemptionReason, priorityOf } from './framework/preempt.ts';
import type { SchedulerDependencies } from './scheduler-dependencies.ts';

/**
 * Makes room for a pod: its victims get the condition DisruptionTarget (KEP-3329) and are deleted with their own grace periods. Pods of
 * lower priority that were nominated to the node lose their nomination.
 */
export async function preempt(
  { client, recorder, clock }: SchedulerDependencies,
  cache: SchedulerCache,
  pod: DeepReadonly<Pod>,
  { node, victims }: Preemption,
): Promise<void> {
  const losers = cache.nominatedOn(node.name).filter((other) => priorityOf(other) < priorityOf(pod));
  for (const loser of losers) cache.withdraw(loser);
  await Promise.all([
    ...victims.map(async (victim) => {
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: preemptionReason,
        message: `${pod.spec?.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: formatTime(clock.nowMs()),
      };
      try {
        if (victim.metadata.deletionTimestamp === undefined) {
          await client(pods).patch(
            keyOf(victim),
            { type: 'strategic', body: { status: { conditions: [condition] } } },
            { subresource: 'status' },
          );
          await client(pods).delete(keyOf(victim));
        }
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      recorder.event(referenceTo(pods, victim), 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${node.name}`);
    }),
    ...losers.map(async (loser) => {
      try {
        await client(pods).patch(keyOf(loser), { type: 'merge', body: { status: { nominatedNodeName: null } } }, { subresource: 'status' });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }),
  ]);
}
