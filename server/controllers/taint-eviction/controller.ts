import { isEqual } from '../../../api/base/equality.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatKey, keyOf } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { defineController, done, requeueAfterSeconds, watching } from '../runtime/define-controller.ts';
import { markDisrupted } from '../runtime/disrupt-pod.ts';
import { evictionTimeMs } from './eviction-time.ts';
import { rules } from './rbac.ts';

const byNode = 'node';

/** Deletes Pods from nodes with NoExecute taints that they do not tolerate, or no longer. */
export const taintEvictionController = defineController({
  name: 'taint-eviction-controller',
  account: 'node-controller',
  component: 'taint-eviction-controller',
  for: pods,
  watches: [
    watching(
      nodes,
      (node, { lister }) =>
        lister(pods)
          .byIndex(byNode, node.metadata.name ?? '')
          .map(keyOf),
      (node, old) => !isEqual(node.spec?.taints, old.spec?.taints),
    ),
  ],
  rules,
  setUp(setup) {
    const { lister, clock, client, events } = setup;
    setup.informer(pods).addIndex(byNode, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
    const scheduled = new Set<string>();
    return async (key) => {
      const pod = lister(pods).find(key);
      const node = lister(nodes).find({ namespace: '', name: pod?.spec?.nodeName ?? '' });
      const isGoing = pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod);
      const id = `${formatKey(key)} ${pod?.metadata.uid ?? ''}`;
      const atMs = isGoing || node === undefined ? undefined : evictionTimeMs(pod, node, clock.nowMs());
      if (atMs === undefined) {
        if (scheduled.delete(id) && !isGoing) {
          events.event(referenceTo(pods, pod), 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${formatKey(key)}`);
        }
        return done;
      }
      const remainingMs = atMs - clock.nowMs();
      if (remainingMs > 0) {
        scheduled.add(id);
        return requeueAfterSeconds(remainingMs / 1000);
      }
      scheduled.delete(id);
      if (pod === undefined) return done;
      events.event(referenceTo(pods, pod), 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${formatKey(key)}`);
      const message = 'Taint manager: deleting due to NoExecute taint';
      await markDisrupted(client, pod, { reason: 'DeletionByTaintManager', message, now: formatTime(clock.nowMs()), markFailed: false });
      await ignoreNotFound(client(pods).delete(key, { preconditions: { uid: pod.metadata.uid ?? '' } }));
      return done;
    };
  },
});
