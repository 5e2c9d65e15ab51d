import type { SelfSubjectAccessReview } from '../../../types/authorization-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const selfSubjectAccessReviews = defineResource<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews' },
  definition: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  verbs: ['create'],
});
