import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { markDisrupted } from '../runtime/disrupt-pod.ts';
import { rules } from './rbac.ts';

const byNode = 'node';
/** A node must be missing for this long: it may be registering anew. */
const quarantineSeconds = 40;

/** Deletes Pods that no kubelet can remove: those of nodes that are gone or out of service, and deleted ones that were never scheduled. */
export const podGarbageCollector = defineController({
  name: 'pod-garbage-collector-controller',
  account: 'pod-garbage-collector',
  for: pods,
  watches: [
    watching(
      nodes,
      (node, { lister }) =>
        lister(pods)
          .byIndex(byNode, node.metadata.name ?? '')
          .map(keyOf),
      (node, old) => isNodeReady(node) !== isNodeReady(old) || isOutOfService(node) !== isOutOfService(old),
    ),
  ],
  workers: 1,
  rules,
  setUp(setup) {
    const { lister, clock } = setup;
    setup.informer(pods).addIndex(byNode, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
    const missingSinceMs = new Map<string, number>();
    return async (key) => {
      const pod = lister(pods).find(key);
      if (pod === undefined) return done;
      const name = pod.spec?.nodeName;
      if (!name) return await collectUnscheduled(setup, pod);
      const node = lister(nodes).find({ namespace: '', name });
      if (node !== undefined) {
        missingSinceMs.delete(name);
        return await collectOutOfService(setup, pod, node);
      }
      const sinceMs = missingSinceMs.get(name) ?? clock.monotonicMs();
      missingSinceMs.set(name, sinceMs);
      const remainingSeconds = quarantineSeconds - (clock.monotonicMs() - sinceMs) / 1000;
      if (remainingSeconds > 0) return requeueAfterSeconds(remainingSeconds);
      if ((await ignoreNotFound(setup.client(nodes).get({ namespace: '', name }))) !== undefined) return done;
      await collect(setup, pod, 'PodGC: node no longer exists');
      return done;
    };
  },
});

function isOutOfService(node: DeepReadonly<Node>): boolean {
  return node.spec?.taints?.some(({ key }) => key === wellKnownTaints.outOfService) ?? false;
}

async function collectUnscheduled(setup: ControllerSetup, pod: DeepReadonly<Pod>): Promise<ReconcileResult> {
  if (pod.metadata.deletionTimestamp !== undefined) await collect(setup, pod, undefined);
  return done;
}

/** Deletes the Pods of nodes that an administrator has tainted as out of service (KEP-2268). */
async function collectOutOfService(setup: ControllerSetup, pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): Promise<ReconcileResult> {
  const isStuck = pod.metadata.deletionTimestamp !== undefined && !isNodeReady(node) && isOutOfService(node);
  if (isStuck) await collect(setup, pod, undefined);
  return done;
}

async function collect({ client, clock }: ControllerSetup, pod: DeepReadonly<Pod>, disruption: string | undefined): Promise<void> {
  if (!isPodFinished(pod)) {
    const now = formatTime(clock.nowMs());
    if (disruption !== undefined) {
      await markDisrupted(client, pod, { reason: 'DeletionByPodGC', message: disruption, now, markFailed: true });
    } else {
      const body = { metadata: { uid: pod.metadata.uid }, status: { phase: 'Failed' } };
      await ignoreNotFound(client(pods).patch(keyOf(pod), { type: 'strategic', body }, { subresource: 'status' }));
    }
  }
  const preconditions = { uid: pod.metadata.uid ?? '' };
  await ignoreNotFound(client(pods).delete(keyOf(pod), { gracePeriodSeconds: 0, preconditions }));
}
