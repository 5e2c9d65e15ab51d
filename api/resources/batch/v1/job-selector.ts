import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { matchesLabelSelector } from '../../../selectors/label-selectors.ts';
import type { Job } from '../../../types/batch-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { isValidLabelSelector } from '../../../validation/labels.ts';

/** Each label by its present name and by that of before v1.27, which clients still select by. */
const jobNameLabels = ['batch.kubernetes.io/job-name', 'job-name'] as const;
const jobUIDLabels = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const;

/**
 * Gives the Pods of a new Job unique labels and selects by them, unless the Job has its own selector (spec.manualSelector). Needs the Job's
 * name and uid. Modifies.
 */
export function generateJobSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector === true) return;
  spec.template ??= {};
  const template = (spec.template.metadata ??= {});
  const labels = (template.labels ??= {});
  // A label with another value is refused by validation.
  for (const label of jobNameLabels) labels[label] ??= metadata.name ?? '';
  for (const label of jobUIDLabels) labels[label] ??= metadata.uid ?? '';
  // Jobs without labels have those of their Pods.
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  const selector = (spec.selector ??= {});
  selector.matchLabels = { [jobUIDLabels[0]]: metadata.uid ?? '', ...selector.matchLabels };
}

/**
 * Validates the generated selector of a Job without manualSelector: the labels are those that were generated, and the selector
 * selects by them.
 */
export function validateGeneratedSelector({ metadata, spec }: DeepReadonly<Job>, path: FieldPath): FieldError[] {
  if (!spec?.selector || spec.manualSelector === true) return [];
  const errors = metadata.uid ? [] : [required(path.child('metadata', 'uid'))];
  const expected: Record<string, string> = {};
  for (const label of jobUIDLabels) expected[label] = metadata.uid ?? '';
  for (const label of jobNameLabels) expected[label] = metadata.name ?? '';
  const labels = spec.template?.metadata?.labels ?? {};
  const at = path.child('spec', 'template', 'metadata', 'labels');
  for (const [label, value] of Object.entries(expected)) {
    const present = labels[label];
    if (present === undefined) errors.push(required(at.key(label), `must be '${value}'`));
    else if (present !== value) errors.push(invalid(at.key(label), labels, `must be '${value}'`));
  }
  if (isValidLabelSelector(spec.selector) && !matchesLabelSelector(spec.selector, expected))
    errors.push(invalid(path.child('spec', 'selector'), spec.selector, '`selector` not auto-generated'));
  return errors;
}
