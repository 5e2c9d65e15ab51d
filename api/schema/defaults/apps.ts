import type { DaemonSet, Deployment, StatefulSet } from '../../types/apps-v1.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

function defaultDaemonSet({ spec }: DaemonSet): void {
  if (!spec) return;
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type !== 'RollingUpdate') return;
  const rollingUpdate = (strategy.rollingUpdate ??= {});
  rollingUpdate.maxUnavailable ??= 1;
  rollingUpdate.maxSurge ??= 0;
}

function defaultDeployment({ spec }: Deployment): void {
  if (!spec) return;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type !== 'RollingUpdate') return;
  const rollingUpdate = (strategy.rollingUpdate ??= {});
  rollingUpdate.maxUnavailable ??= '25%';
  rollingUpdate.maxSurge ??= '25%';
}

function defaultStatefulSet({ spec }: StatefulSet): void {
  if (!spec) return;
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
    strategy.rollingUpdate.partition ??= 0;
    strategy.rollingUpdate.maxUnavailable ??= 1;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= 'Retain';
  retention.whenScaled ||= 'Retain';
  // Claim templates are whole objects in JSON, but upstream's protobuf of them carries no kind.
  for (const claim of spec.volumeClaimTemplates ?? []) Object.assign(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
}

export const appsDefaults: ConditionalDefaults = [
  ['io.k8s.api.apps.v1.DaemonSet', defaultDaemonSet],
  ['io.k8s.api.apps.v1.Deployment', defaultDeployment],
  ['io.k8s.api.apps.v1.StatefulSet', defaultStatefulSet],
];
