import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import type { StatefulSet, StatefulSetSpec } from '../../../types/apps-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { matchesLabelSelector } from '../../../selectors/label-selectors.ts';
import type { PodTemplateSpec, Volume } from '../../../types/core-v1.ts';
import { claimSpecWarnings } from '../../core/v1/volumes/claim-spec-warnings.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { validateDNSLabel } from '../../core/v1/pod-spec/names.ts';
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-template.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import {
  selectorMismatch,
  validateRunsForEver,
  validateWorkloadSelector,
  workloadWarnings,
} from '../../core/v1/pod-spec/workload-template.ts';
import { validateCounts, validateNotDecremented, validateParts } from './replica-status.ts';
import { isNone, validateAtMostAll, validateIntOrPercent } from './rolling-update.ts';
import { isValidLabelSelector } from '../../../validation/labels.ts';

/** Numbered Pods, each with a name and volumes that it keeps. */
export const statefulSets = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'StatefulSet', plural: 'statefulsets', shortNames: ['sts'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.StatefulSet',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'StatefulSet', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'statefulsets',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template),
  ],
  default({ spec }) {
    canonicalizeTemplate(spec?.template);
  },
  validate({ spec }, path) {
    const at = path.child('spec');
    if (spec === undefined) return [required(at)];
    const { replicas = 0, minReadySeconds = 0, revisionHistoryLimit = 0, ordinals, selector, template } = spec;
    return [
      ...validateManagement(spec, at),
      ...validateStrategy(spec, at.child('updateStrategy')),
      ...validateRetention(spec, at.child('persistentVolumeClaimRetentionPolicy')),
      ...(spec.serviceName ? validateDNSLabel(at.child('serviceName'), spec.serviceName) : []),
      ...validateNonnegative(at.child('replicas'), replicas),
      ...validateNonnegative(at.child('minReadySeconds'), minReadySeconds),
      ...validateNonnegative(at.child('revisionHistoryLimit'), revisionHistoryLimit),
      ...validateNonnegative(at.child('ordinals', 'start'), ordinals?.start ?? 0),
      ...validateWorkloadSelector(selector, 'empty selector is invalid for statefulset', at.child('selector'), ''),
      ...validateTemplate(spec, at.child('template')),
      ...validateRunsForEver(template, 'StatefulSet', at.child('template')),
    ];
  },
  validateUpdate({ spec }, old, path) {
    if (isSemanticallyEqual(fixedPart(spec), fixedPart(old.spec))) return [];
    const fields =
      "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";
    return [forbidden(path.child('spec'), `updates to statefulset spec for fields other than ${fields} are forbidden`)];
  },
  validateStatusUpdate({ status }, old, path) {
    const at = path.child('status');
    return [
      ...validateCounts(
        status,
        ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas', 'observedGeneration', 'collisionCount'],
        at,
      ),
      ...validateParts(
        status,
        ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
        'replicas',
        'status.replicas',
        at,
      ),
      ...validateParts(status, ['availableReplicas'], 'readyReplicas', 'status.readyReplicas', at),
      ...validateNotDecremented(at.child('collisionCount'), status?.collisionCount, old.status?.collisionCount),
    ];
  },
  warnings: (set, old) => [
    ...workloadWarnings(set, old, set.spec?.template, { namesHosts: false }),
    ...(set.spec?.volumeClaimTemplates ?? []).flatMap((claim, index) =>
      // The paths are upstream's.
      claimSpecWarnings(claim.spec, claimTemplatePath(index, old !== undefined)),
    ),
  ],
});

function claimTemplatePath(index: number, isUpdate: boolean): FieldPath {
  const path = FieldPath.root.child('spec', 'volumeClaimTemplates').index(index);
  return isUpdate ? path.child('Spec') : path;
}

type Spec = DeepReadonly<StatefulSetSpec>;

function validateManagement({ podManagementPolicy: policy }: Spec, path: FieldPath): FieldError[] {
  const at = path.child('podManagementPolicy');
  if (!policy) return [required(at)];
  return policy === 'OrderedReady' || policy === 'Parallel' ? [] : [invalid(at, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateStrategy({ updateStrategy }: Spec, path: FieldPath): FieldError[] {
  const { type, rollingUpdate } = updateStrategy ?? {};
  const at = path.child('rollingUpdate');
  if (!type) return [required(path)];
  if (type === 'OnDelete')
    return rollingUpdate === undefined ? [] : [invalid(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")];
  if (type !== 'RollingUpdate') return [invalid(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
  if (rollingUpdate === undefined) return [];
  const { partition = 0, maxUnavailable } = rollingUpdate;
  const errors = validateNonnegative(at.child('partition'), partition);
  if (maxUnavailable === undefined) return errors;
  errors.push(...validateIntOrPercent(at.child('maxUnavailable'), maxUnavailable));
  if (isNone(maxUnavailable)) errors.push(invalid(at.child('maxUnavailable'), maxUnavailable, 'cannot be 0'));
  return [...errors, ...validateAtMostAll(at.child('maxUnavailable'), maxUnavailable)];
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: Spec, path: FieldPath): FieldError[] {
  if (policy === undefined) return [required(path)];
  return (['whenDeleted', 'whenScaled'] as const).flatMap((field) =>
    validateChoice(path.child(field), policy[field], ['Retain', 'Delete']),
  );
}

/** Its claims become volumes of the Pods: to their containers they are volumes already. */
function validateTemplate(spec: Spec, path: FieldPath): FieldError[] {
  const { template, selector, volumeClaimTemplates = [] } = spec;
  const labels = template?.metadata?.labels;
  if (!isValidLabelSelector(selector)) return [];
  const errors = matchesLabelSelector(selector, labels) ? [] : [invalid(path.child('metadata', 'labels'), labels, selectorMismatch)];
  const own = template?.spec?.volumes ?? [];
  const ownNames = new Set(own.map(({ name }) => name));
  const claims = volumeClaimTemplates.flatMap(({ metadata }): DeepReadonly<Volume>[] => {
    const name = metadata.name ?? '';
    return ownNames.has(name) ? [] : [{ name, persistentVolumeClaim: { claimName: name } }];
  });
  const whole: DeepReadonly<PodTemplateSpec> = template?.spec
    ? { ...template, spec: { ...template.spec, volumes: [...own, ...claims] } }
    : (template ?? {});
  return [...errors, ...validatePodTemplate(whole, path)];
}

const free = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

function fixedPart(spec: Spec | undefined): object {
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !free.has(field)));
}
