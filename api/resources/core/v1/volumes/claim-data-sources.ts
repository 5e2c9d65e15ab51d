import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { PersistentVolumeClaimSpec } from '../../../../types/core-v1.ts';

type Spec = DeepReadonly<PersistentVolumeClaimSpec>;

/**
 * Reconciles the two fields for the source of a claim (KEP-1495). The older one, `dataSource`, can name claims and snapshots, and other
 * values are dropped; if only one field is set, the other is filled from it. Other namespaces cannot be named yet. Modifies.
 */
export function prepareDataSources(spec: PersistentVolumeClaimSpec, old: Spec | undefined): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  const hadSource = old?.dataSource !== undefined || old?.dataSourceRef !== undefined;
  if (!hadSource && !spec.dataSourceRef && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) spec.dataSource = { ...spec.dataSourceRef };
}

function isClaimOrSnapshot(source: Spec['dataSource']): boolean {
  const { kind, apiGroup = '' } = source ?? {};
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}
