import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { compareQuantities } from '../../../../base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity } from '../../../../base/quantity/quantity.ts';
import { podRequests } from '../../../../semantics/pods/pod-resources.ts';
import { isPodLevelResource } from '../../../../semantics/pods/resource-list.ts';
import type { PodSpec } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notSupported } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateContainerResources } from './container-resources.ts';

/** Requests and limits of a whole Pod (KEP-2837): no less than its containers ask for together. */
export function validatePodLevelResources(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  if (spec.os?.name === 'windows') return [forbidden(path, 'may not be set for a windows pod')];
  const errors: FieldError[] = [];
  if (resources.claims !== undefined) errors.push(forbidden(path.child('claims'), 'claims may not be set for Resources at pod-level'));
  for (const kind of ['limits', 'requests'] as const) {
    for (const name of Object.keys(resources[kind] ?? {})) {
      if (!isPodLevelResource(name)) errors.push(notSupported(path.child(kind).key(name), name, ['cpu', 'hugepages-', 'memory']));
    }
  }
  errors.push(...validateContainerResources({ ...resources, claims: [] }, new Set(), path));
  const together = podRequests({ metadata: {}, spec }, { withoutPodLevel: true, withoutOverhead: true });
  for (const [name, text] of Object.entries(resources.requests ?? {})) {
    const sum = together.get(name);
    if (sum === undefined || compareQuantities(sum, parseQuantity(text)) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${formatQuantity(sum)}`;
    errors.push(invalid(path.child('requests').key(name), text, detail));
  }
  for (const [name, text] of Object.entries(resources.limits ?? {})) {
    for (const container of spec.containers ?? []) {
      const limit = container.resources?.limits?.[name];
      if (limit === undefined || compareQuantities(parseQuantity(limit), parseQuantity(text)) <= 0) continue;
      const detail = `must be less than or equal to pod limits of ${text}`;
      errors.push(invalid(path.child('limits').key(name), limit, detail));
    }
  }
  return errors;
}
