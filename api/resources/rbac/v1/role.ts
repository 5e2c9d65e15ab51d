import { defineResource } from '../../../resource/define-resource.ts';
import type { Role } from '../../../types/rbac-v1.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { validatePolicyRules } from './policy-rules.ts';

/** Permissions in a namespace. */
export const roles = defineResource<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Role', plural: 'roles' },
  definition: 'io.k8s.api.rbac.v1.Role',
  tellsTwice: true,
  storagePrefix: 'roles',
  nameRule: nameIsPathSegment,
  allowCreateOnUpdate: true,
  validate: ({ rules }, path) => validatePolicyRules(rules, true, path.child('rules')),
});
