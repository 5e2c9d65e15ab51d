import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { PolicyRule } from '../../../types/rbac-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';

/** Rules of a Role or ClusterRole: verbs on resources of groups, or, cluster-wide only, on paths. */
export function validatePolicyRules(
  rules: readonly DeepReadonly<PolicyRule>[] | null | undefined,
  isNamespaced: boolean,
  path: FieldPath,
): FieldError[] {
  return validateEach(rules, path, (rule, at) => {
    const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
    const errors = verbs.length === 0 ? [required(at.child('verbs'), 'verbs must contain at least one value')] : [];
    if (nonResourceURLs.length > 0) {
      const urls = at.child('nonResourceURLs');
      if (isNamespaced) errors.push(invalid(urls, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        errors.push(invalid(urls, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
      }
      return errors;
    }
    if (apiGroups.length === 0) errors.push(required(at.child('apiGroups'), 'resource rules must supply at least one api group'));
    if (resources.length === 0) errors.push(required(at.child('resources'), 'resource rules must supply at least one resource'));
    return errors;
  });
}
