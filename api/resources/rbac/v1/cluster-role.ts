import type { ClusterRole } from '../../../types/rbac-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';

export const clusterRoles = defineResource<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ClusterRole', plural: 'clusterroles' },
  definition: 'io.k8s.api.rbac.v1.ClusterRole',
  nameRule: nameIsPathSegment,
  storagePrefix: 'clusterroles',
});
