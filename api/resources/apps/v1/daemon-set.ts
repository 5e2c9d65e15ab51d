import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, integerColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabels, formatLabelSelector, isEmptyLabelSelector, matchesLabelSelector } from '../../../selectors/label-selectors.ts';
import type { DaemonSet, DaemonSetUpdateStrategy } from '../../../types/apps-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { isValidLabelSelector, validateLabelSelector } from '../../../validation/labels.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-template.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import { selectorMismatch, validateRunsForEver, workloadWarnings } from '../../core/v1/pod-spec/workload-template.ts';
import { validateCounts, validateNotDecremented } from './replica-status.ts';
import { isNone, showStrategy, validateAtMostAll, validateIntOrPercent } from './rolling-update.ts';

/** How often the template has changed: once a field of the kind, kept by its controller in this annotation. */
const templateGenerationAnnotation = 'deprecated.daemonset.template.generation';

/** Runs one Pod on every node, or on every node that its selector matches. */
export const daemonSets = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'DaemonSet', plural: 'daemonsets', shortNames: ['ds'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.DaemonSet',
  subresources: {
    status: { kind: 'DaemonSet', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'daemonsets',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    integerColumn('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    integerColumn('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    integerColumn('Ready', ({ status }) => status?.numberReady ?? 0),
    integerColumn('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    integerColumn('Available', ({ status }) => status?.numberAvailable ?? 0),
    textColumn('Node Selector', ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector)),
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template),
    wideColumn('Selector', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
  default: ({ spec }) => canonicalizeTemplate(spec?.template),
  prepareForCreate: (set) => setTemplateGeneration(set, 1),
  prepareForUpdate(set, old, { subresource }) {
    if (subresource !== '') return;
    const before = templateGeneration(old);
    setTemplateGeneration(set, isSemanticallyEqual(set.spec?.template, old.spec?.template) ? before : before + 1);
  },
  validate({ spec }, path) {
    const at = path.child('spec');
    const { selector, template, minReadySeconds = 0, revisionHistoryLimit = 0 } = spec ?? {};
    const errors = validateLabelSelector(selector, at.child('selector'));
    const labels = template?.metadata?.labels;
    if (isValidLabelSelector(selector) && !matchesLabelSelector(selector, labels))
      errors.push(invalid(at.child('template', 'metadata', 'labels'), labels, selectorMismatch));
    if (selector !== undefined && isEmptyLabelSelector(selector)) {
      errors.push(invalid(at.child('selector'), selector, 'empty selector is invalid for daemonset'));
    }
    return [
      ...errors,
      ...validatePodTemplate(template ?? {}, at.child('template')),
      ...validateRunsForEver(template, 'DaemonSet', at.child('template')),
      ...validateNonnegative(at.child('minReadySeconds'), minReadySeconds),
      ...validateStrategy(spec?.updateStrategy, at.child('updateStrategy')),
      ...validateNonnegative(at.child('revisionHistoryLimit'), revisionHistoryLimit),
    ];
  },
  validateUpdate: (set, old, path) => validateImmutable(path.child('spec', 'selector'), set.spec?.selector, old.spec?.selector),
  validateStatusUpdate({ status }, old, path) {
    const at = path.child('status');
    const counts = [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ] as const;
    return [
      ...validateCounts(status, counts, at),
      ...validateNotDecremented(at.child('collisionCount'), status?.collisionCount, old.status?.collisionCount),
    ];
  },
  warnings: (set, old) => workloadWarnings(set, old, set.spec?.template, { namesHosts: false }),
});

function templateGeneration({ metadata }: DeepReadonly<DaemonSet>): number {
  return Number(metadata.annotations?.[templateGenerationAnnotation] ?? 0) || 0;
}

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGenerationAnnotation]: String(generation) };
}

function validateStrategy(strategy: DeepReadonly<DaemonSetUpdateStrategy> | undefined, path: FieldPath): FieldError[] {
  const { type = '', rollingUpdate } = strategy ?? {};
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [notSupported(path, showStrategy(type, rollingUpdate), ['RollingUpdate', 'OnDelete'])];
  const at = path.child('rollingUpdate');
  if (rollingUpdate === undefined) return [required(at)];
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const errors = [
    ...validateIntOrPercent(at.child('maxUnavailable'), maxUnavailable),
    ...validateIntOrPercent(at.child('maxSurge'), maxSurge),
    ...validateAtMostAll(at.child('maxUnavailable'), maxUnavailable),
    ...validateAtMostAll(at.child('maxSurge'), maxSurge),
  ];
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) {
    errors.push(invalid(at.child('maxSurge'), maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (isNone(maxUnavailable) && isNone(maxSurge)) {
    errors.push(required(at.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}
