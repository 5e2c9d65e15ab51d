import type { LocalSubjectAccessReview } from '../../../types/authorization-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const localSubjectAccessReviews = defineResource<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews' },
  definition: 'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
  verbs: ['create'],
});
