import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { PodSpec, PodTemplateSpec } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateAnnotations, validateLabels } from '../../../../validation/labels.ts';
import { validatePodSpec } from './pod-spec.ts';
import { templateRules } from './pod-spec-rules.ts';

/** A template as DeepReadonly needs it where the field itself may be absent. */
const emptySpec: PodSpec = { containers: [] };

export function validatePodTemplate(template: DeepReadonly<PodTemplateSpec>, path: FieldPath): FieldError[] {
  const { metadata, spec = emptySpec } = template;
  const errors = [
    ...validateLabels(metadata?.labels, path.child('labels')),
    ...validateAnnotations(metadata?.annotations, path.child('annotations')),
    ...validatePodAnnotations(metadata?.annotations, spec, path.child('annotations')),
    ...validatePodSpec(spec, path.child('spec'), templateRules),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(path.child('spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template'));
  }
  return errors;
}

/** Annotations that mean something on a Pod. */
export function validatePodAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: DeepReadonly<PodSpec>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations?.['kubernetes.io/config.mirror'];
  if (mirror !== undefined && !spec.nodeName) {
    errors.push(invalid(path.key('kubernetes.io/config.mirror'), mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalid(path.key('controller.kubernetes.io/pod-deletion-cost'), cost, 'must be a 32bit integer'));
  }
  return errors;
}

function isInt32(text: string): boolean {
  return /^(?:0|-?[1-9]\d{0,9})$/.test(text) && Math.abs(Number(text)) <= 2_147_483_647;
}
