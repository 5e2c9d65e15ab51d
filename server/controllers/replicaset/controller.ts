import { findController } from '../../../api/meta/owner-references.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodActive } from '../../../api/semantics/pods/pod-phase.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../../../api/types/apps-v1.ts';
import { defineController } from '../runtime/define-controller.ts';
import { dependentsOf, indexByController } from '../runtime/dependents.ts';
import { replicaEngine } from '../runtime/replicas/replica-engine.ts';
import { rules } from './rbac.ts';

/** Keeps `spec.replicas` Pods of a ReplicaSet's template alive. */
export const replicaSetController = defineController({
  name: 'replicaset-controller',
  account: 'replicaset-controller',
  for: replicaSets,
  spacing: 1,
  rules,
  setUp(setup) {
    const sets = setup.informer(replicaSets);
    indexByController(sets);
    return replicaEngine<ReplicaSet, ReplicaSetStatus>(setup, {
      resource: replicaSets,
      countsTerminating: true,
      describe: ({ spec }) => ({
        replicas: spec?.replicas ?? 1,
        minReadySeconds: spec?.minReadySeconds ?? 0,
        selector: spec?.selector,
        template: spec?.template ?? {},
      }),
      relatedPods(owner, own) {
        const deployment = findController(owner);
        if (deployment === undefined) return own;
        const siblings = dependentsOf(sets, deployment.uid);
        return siblings.flatMap((sibling) => dependentsOf(setup.informer(pods), sibling.metadata.uid ?? '').filter(isPodActive));
      },
    });
  },
});
