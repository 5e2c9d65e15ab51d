import { invalidFor } from '../../../resource/field-rules.ts';
import { isHugePagesResource } from '../../../semantics/pods/resource-list.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';

const standardResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);

/** Validates the name of a resource: a native one of Kubernetes, or a name with a domain. */
export function validateResourceName(name: string, path: FieldPath): FieldError[] {
  const problems = qualifiedNameProblems(name);
  if (problems.length > 0) return invalidFor(path, name, problems);
  if (name.includes('/') || standardResources.has(name) || isHugePagesResource(name.replace(/^requests\./, ''))) return [];
  return [invalid(path, name, 'must be a standard resource type or fully qualified')];
}
