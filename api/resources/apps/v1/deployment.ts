import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabelSelector } from '../../../selectors/label-selectors.ts';
import type { Deployment, DeploymentStrategy } from '../../../types/apps-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import { validateWorkloadSelector, validateWorkloadTemplate, workloadWarnings } from '../../core/v1/pod-spec/workload-template.ts';
import { validateCounts, validateNotDecremented, validateParts } from './replica-status.ts';
import { isNone, showStrategy, validateAtMostAll, validateIntOrPercent } from './rolling-update.ts';

/** A number of equal Pods, replaced bit by bit when their template changes. */
export const deployments = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Deployment', plural: 'deployments', shortNames: ['deploy'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.Deployment',
  resetFields: { status: [['spec'], ['metadata', 'labels']] },
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'Deployment', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'deployments',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    textColumn('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    textColumn('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template),
    wideColumn('Selector', ({ spec }) => (spec?.selector === undefined ? '' : formatLabelSelector(spec.selector))),
  ],
  default: ({ spec }) => canonicalizeTemplate(spec?.template),
  prepareForUpdate({ metadata }, old, { subresource }) {
    // labels select Deployments, so whoever may only report a status must not change them (only this kind is so strict)
    if (subresource !== 'status') return;
    if (old.metadata.labels === undefined) delete metadata.labels;
    else metadata.labels = { ...old.metadata.labels };
  },
  validate({ spec }, path) {
    const at = path.child('spec');
    const { replicas = 0, minReadySeconds = 0, revisionHistoryLimit, progressDeadlineSeconds, selector } = spec ?? {};
    const errors = [
      ...validateNonnegative(at.child('replicas'), replicas),
      ...validateWorkloadSelector(selector, 'empty selector is invalid for deployment', at.child('selector')),
      ...validateWorkloadTemplate(spec?.template, selector, 'ReplicaSet', at.child('template')),
      ...validateStrategy(spec?.strategy, at.child('strategy')),
      ...validateNonnegative(at.child('minReadySeconds'), minReadySeconds),
      ...validateNonnegative(at.child('revisionHistoryLimit'), revisionHistoryLimit ?? 0),
    ];
    if (progressDeadlineSeconds === undefined) return errors;
    const deadline = at.child('progressDeadlineSeconds');
    errors.push(...validateNonnegative(deadline, progressDeadlineSeconds));
    if (progressDeadlineSeconds <= minReadySeconds) {
      errors.push(invalid(deadline, progressDeadlineSeconds, 'must be greater than minReadySeconds'));
    }
    return errors;
  },
  validateUpdate: (deployment, old, path) =>
    validateImmutable(path.child('spec', 'selector'), deployment.spec?.selector, old.spec?.selector),
  validateStatusUpdate({ status }, old, path) {
    const at = path.child('status');
    return [
      ...validateCounts(
        status,
        [
          'observedGeneration',
          'replicas',
          'updatedReplicas',
          'readyReplicas',
          'availableReplicas',
          'unavailableReplicas',
          'terminatingReplicas',
          'collisionCount',
        ],
        at,
      ),
      ...validateParts(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], 'replicas', 'status.replicas', at),
      ...validateParts(status, ['availableReplicas'], 'readyReplicas', 'readyReplicas', at),
      ...validateNotDecremented(at.child('collisionCount'), status?.collisionCount, old.status?.collisionCount),
    ];
  },
  warnings: (object, old) => workloadWarnings(object, old, object.spec?.template),
});

function validateStrategy(strategy: DeepReadonly<DeploymentStrategy> | undefined, path: FieldPath): FieldError[] {
  const { type = '', rollingUpdate } = strategy ?? {};
  const at = path.child('rollingUpdate');
  if (type === 'Recreate') {
    return rollingUpdate === undefined ? [] : [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== 'RollingUpdate') return [notSupported(path, showStrategy(type, rollingUpdate), ['Recreate', 'RollingUpdate'])];
  if (rollingUpdate === undefined) return [required(at, 'this should be defaulted and never be nil')];
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const errors = [
    ...validateIntOrPercent(at.child('maxUnavailable'), maxUnavailable),
    ...validateIntOrPercent(at.child('maxSurge'), maxSurge),
  ];
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    errors.push(invalid(at.child('maxUnavailable'), maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...errors, ...validateAtMostAll(at.child('maxUnavailable'), maxUnavailable)];
}
