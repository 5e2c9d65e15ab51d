import type { SelfSubjectRulesReview } from '../../../types/authorization-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const selfSubjectRulesReviews = defineResource<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews' },
  definition: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  verbs: ['create'],
});
