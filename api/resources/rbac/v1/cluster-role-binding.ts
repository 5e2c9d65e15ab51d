import type { ClusterRoleBinding } from '../../../types/rbac-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';

export const clusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' },
  definition: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  nameRule: nameIsPathSegment,
  storagePrefix: 'clusterrolebindings',
});
