import { ageColumn, integerColumn, nameColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabels, matchesLabelMap } from '../../../selectors/label-selectors.ts';
import type { ReplicationController } from '../../../types/core-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateCounts, validateParts } from '../../apps/v1/replica-status.ts';
import { containerColumns } from './pod-spec/container-columns.ts';
import { validatePodTemplate } from './pod-spec/pod-template.ts';
import { canonicalizeTemplate } from './pod-spec/service-account.ts';
import { selectorMismatch, validateRunsForEver, workloadWarnings } from './pod-spec/workload-template.ts';

/** Keeps a number of equal Pods running; ReplicaSets have replaced it. */
export const replicationControllers = defineResource<ReplicationController>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ReplicationController', plural: 'replicationcontrollers', shortNames: ['rc'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.ReplicationController',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'ReplicationController', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'controllers',
  hasGeneration: true,
  defaultGarbageCollection: 'orphan',
  printerColumns: [
    nameColumn,
    integerColumn('Desired', ({ spec }) => spec?.replicas ?? 0),
    integerColumn('Current', ({ status }) => status?.replicas ?? 0),
    integerColumn('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template),
    wideColumn('Selector', ({ spec }) => formatLabels(spec?.selector)),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  default: ({ spec }) => canonicalizeTemplate(spec?.template),
  validate({ spec }, path) {
    const at = path.child('spec');
    const { minReadySeconds = 0, selector = {}, replicas, template } = spec ?? {};
    const errors: FieldError[] = validateNonnegative(at.child('minReadySeconds'), minReadySeconds);
    const isEmpty = Object.keys(selector).length === 0;
    if (isEmpty) errors.push(required(at.child('selector')));
    if (replicas === undefined) errors.push(required(at.child('replicas')));
    else errors.push(...validateNonnegative(at.child('replicas'), replicas));
    const templatePath = at.child('template');
    if (template === undefined) return [...errors, required(templatePath)];
    const labels = template.metadata?.labels;
    if (!isEmpty && !matchesLabelMap(selector, labels))
      errors.push(invalid(templatePath.child('metadata', 'labels'), labels, selectorMismatch));
    return [
      ...errors,
      ...validatePodTemplate(template, templatePath),
      ...validateRunsForEver(template, 'ReplicationController', templatePath),
    ];
  },
  validateStatusUpdate({ status }, _old, path) {
    const at = path.child('status');
    return [
      ...validateCounts(status, ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'], at),
      ...validateParts(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'replicas', 'status.replicas', at),
      ...validateParts(status, ['availableReplicas'], 'readyReplicas', 'readyReplicas', at),
    ];
  },
  warnings: (object, old) => workloadWarnings(object, old, object.spec?.template),
});
