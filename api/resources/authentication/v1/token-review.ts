import type { TokenReview } from '../../../types/authentication-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const tokenReviews = defineResource<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'TokenReview', plural: 'tokenreviews' },
  definition: 'io.k8s.api.authentication.v1.TokenReview',
  verbs: ['create'],
});
