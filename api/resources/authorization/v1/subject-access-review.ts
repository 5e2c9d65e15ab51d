import type { SubjectAccessReview } from '../../../types/authorization-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const subjectAccessReviews = defineResource<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'SubjectAccessReview', plural: 'subjectaccessreviews' },
  definition: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  verbs: ['create'],
});
