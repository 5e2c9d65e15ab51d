import type { Role } from '../../../types/rbac-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';

export const roles = defineResource<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Role', plural: 'roles' },
  definition: 'io.k8s.api.rbac.v1.Role',
  nameRule: nameIsPathSegment,
  storagePrefix: 'roles',
});
