import { defineResource } from '../../../resource/define-resource.ts';
import type { RoleBinding } from '../../../types/rbac-v1.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { bindingColumns, validateBinding, validateBindingUpdate } from './bindings.ts';

/** Gives a role to users, groups and ServiceAccounts in a namespace. */
export const roleBindings = defineResource<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'RoleBinding', plural: 'rolebindings' },
  definition: 'io.k8s.api.rbac.v1.RoleBinding',
  tellsTwice: true,
  storagePrefix: 'rolebindings',
  nameRule: nameIsPathSegment,
  allowCreateOnUpdate: true,
  printerColumns: bindingColumns,
  validate: (binding, path) => validateBinding(binding, true, path),
  validateUpdate: validateBindingUpdate,
});
