import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import type { PodDisruptionBudget } from '../../../types/policy-v1.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { validateAtMostAll, validateIntOrPercent } from '../../apps/v1/rolling-update.ts';
import { validateCounts } from '../../apps/v1/replica-status.ts';

/** Limits how many Pods of one set may be down at once through voluntary disruptions. */
export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', shortNames: ['pdb'] },
  definition: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  subresources: {
    status: { kind: 'PodDisruptionBudget', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'poddisruptionbudgets',
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    textColumn('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    integerColumn('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
  validate({ spec = {} }, path) {
    const at = path.child('spec');
    const errors: FieldError[] = [];
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      errors.push(invalid(at, spec, 'minAvailable and maxUnavailable cannot be both set'));
    }
    for (const field of ['minAvailable', 'maxUnavailable'] as const) {
      const value = spec[field];
      if (value !== undefined) errors.push(...validateIntOrPercent(at.child(field), value), ...validateAtMostAll(at.child(field), value));
    }
    errors.push(...validateLabelSelector(spec.selector, at.child('selector')));
    if (spec.unhealthyPodEvictionPolicy !== undefined) {
      const choices = ['AlwaysAllow', 'IfHealthyBudget'];
      errors.push(...validateChoice(at.child('unhealthyPodEvictionPolicy'), spec.unhealthyPodEvictionPolicy, choices, 'unsupported'));
    }
    return errors;
  },
  validateStatusUpdate: ({ status }, _old, path) =>
    validateCounts(status, ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'], path.child('status')),
});
