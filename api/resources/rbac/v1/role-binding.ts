import type { RoleBinding } from '../../../types/rbac-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';

export const roleBindings = defineResource<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'RoleBinding', plural: 'rolebindings' },
  definition: 'io.k8s.api.rbac.v1.RoleBinding',
  nameRule: nameIsPathSegment,
  storagePrefix: 'rolebindings',
});
