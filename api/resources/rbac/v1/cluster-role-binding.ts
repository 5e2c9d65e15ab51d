import { defineResource } from '../../../resource/define-resource.ts';
import type { ClusterRoleBinding } from '../../../types/rbac-v1.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { bindingColumns, validateBinding, validateBindingUpdate } from './bindings.ts';

/** Gives a role to users, groups and ServiceAccounts in the whole cluster. */
export const clusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' },
  definition: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  tellsTwice: true,
  storagePrefix: 'clusterrolebindings',
  nameRule: nameIsPathSegment,
  allowCreateOnUpdate: true,
  printerColumns: bindingColumns,
  validate: (binding, path) => validateBinding(binding, false, path),
  validateUpdate: validateBindingUpdate,
});
