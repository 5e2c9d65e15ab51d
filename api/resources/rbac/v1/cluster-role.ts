import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { ClusterRole } from '../../../types/rbac-v1.ts';
import { required } from '../../../validation/field-error.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { validatePolicyRules } from './policy-rules.ts';

/** Permissions in all namespaces or in the namespace of a binding, and on cluster-scoped resources and non-resource paths. */
export const clusterRoles = defineResource<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ClusterRole', plural: 'clusterroles' },
  definition: 'io.k8s.api.rbac.v1.ClusterRole',
  tellsTwice: true,
  storagePrefix: 'clusterroles',
  nameRule: nameIsPathSegment,
  allowCreateOnUpdate: true,
  validate({ rules, aggregationRule }, path) {
    const errors = validatePolicyRules(rules, false, path.child('rules'));
    if (aggregationRule === undefined) return errors;
    const at = path.child('aggregationRule', 'clusterRoleSelectors');
    const selectors = aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) errors.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    return [...errors, ...validateEach(selectors, at, (selector, selectorPath) => validateLabelSelector(selector, selectorPath))];
  },
});
