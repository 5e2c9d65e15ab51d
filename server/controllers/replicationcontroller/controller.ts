import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import type { ReplicationController, ReplicationControllerStatus } from '../../../api/types/core-v1.ts';
import { defineController } from '../runtime/define-controller.ts';
import { replicaEngine } from '../runtime/replicas/replica-engine.ts';
import { rules } from './rbac.ts';

/** Keeps `spec.replicas` Pods of a ReplicationController's template alive. */
export const replicationControllerController = defineController({
  name: 'replicationcontroller-controller',
  account: 'replication-controller',
  component: 'replication-controller',
  for: replicationControllers,
  spacing: 1,
  rules,
  setUp: (setup) =>
    replicaEngine<ReplicationController, ReplicationControllerStatus>(setup, {
      resource: replicationControllers,
      countsTerminating: false,
      describe: ({ spec }) => ({
        replicas: spec?.replicas ?? 1,
        minReadySeconds: spec?.minReadySeconds ?? 0,
        // An empty selector of this kind means nothing, not everything.
        selector: Object.keys(spec?.selector ?? {}).length === 0 ? undefined : { matchLabels: spec?.selector ?? {} },
        template: spec?.template ?? {},
      }),
      relatedPods: (_owner, own) => own,
    }),
});
