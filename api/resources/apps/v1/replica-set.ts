import { ageColumn, integerColumn, nameColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabelSelector } from '../../../selectors/label-selectors.ts';
import type { ReplicaSet } from '../../../types/apps-v1.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import { validateWorkloadSelector, validateWorkloadTemplate, workloadWarnings } from '../../core/v1/pod-spec/workload-template.ts';
import { validateCounts, validateParts } from './replica-status.ts';

/** A number of equal Pods. */
export const replicaSets = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ReplicaSet', plural: 'replicasets', shortNames: ['rs'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.ReplicaSet',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'ReplicaSet', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'replicasets',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    integerColumn('Desired', ({ spec }) => spec?.replicas ?? 0),
    integerColumn('Current', ({ status }) => status?.replicas ?? 0),
    integerColumn('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template),
    wideColumn('Selector', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  default: ({ spec }) => canonicalizeTemplate(spec?.template),
  validate({ spec }, path) {
    const at = path.child('spec');
    return [
      ...validateNonnegative(at.child('replicas'), spec?.replicas ?? 0),
      ...validateNonnegative(at.child('minReadySeconds'), spec?.minReadySeconds ?? 0),
      ...validateWorkloadSelector(spec?.selector, 'empty selector is invalid for deployment', at.child('selector')),
      ...validateWorkloadTemplate(spec?.template, spec?.selector, 'ReplicaSet', at.child('template')),
    ];
  },
  validateUpdate: (set, old, path) => validateImmutable(path.child('spec', 'selector'), set.spec?.selector, old.spec?.selector),
  validateStatusUpdate({ status }, _old, path) {
    const at = path.child('status');
    return [
      ...validateCounts(
        status,
        ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'terminatingReplicas', 'observedGeneration'],
        at,
      ),
      ...validateParts(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'replicas', 'status.replicas', at),
      ...validateParts(status, ['availableReplicas'], 'readyReplicas', 'readyReplicas', at),
    ];
  },
  warnings: (object, old) => workloadWarnings(object, old, object.spec?.template),
});
