import type { SelfSubjectReview } from '../../../types/authentication-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const selfSubjectReviews = defineResource<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'SelfSubjectReview', plural: 'selfsubjectreviews' },
  definition: 'io.k8s.api.authentication.v1.SelfSubjectReview',
  verbs: ['create'],
});
