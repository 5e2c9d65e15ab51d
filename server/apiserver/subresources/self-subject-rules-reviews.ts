import { badRequest } from '../../../api/meta/status-errors.ts';
import { selfSubjectRulesReviews as definition } from '../../../api/resources/authorization/v1/self-subject-rules-review.ts';
import type { SelfSubjectRulesReview } from '../../../api/types/authorization-v1.ts';
import { formatErrors } from '../authorization/union-authorizer.ts';
import { defineReview } from './review.ts';

/** The user's own permissions in a namespace, as far as the authorizers can list their rules? */
export const selfSubjectRulesReviews = defineReview<SelfSubjectRulesReview>(definition, async (review, { user }, { rules }) => {
  const namespace = review.spec?.namespace ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules: found, errors, isIncomplete } = rules.rulesFor(user, namespace);
  const resourceRules = found.filter(({ resources = [] }) => resources.length > 0);
  const nonResourceRules = found.filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0);
  // Only the answer is given back.
  review.metadata = {};
  review.spec = {};
  review.status = {
    resourceRules: resourceRules.map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
      verbs: [...verbs],
      apiGroups: [...apiGroups],
      resources: [...resources],
      ...(resourceNames.length > 0 ? { resourceNames: [...resourceNames] } : {}),
    })),
    nonResourceRules: nonResourceRules.map(({ verbs, nonResourceURLs = [] }) => ({
      verbs: [...verbs],
      nonResourceURLs: [...nonResourceURLs],
    })),
    incomplete: isIncomplete,
    ...(errors.length > 0 ? { evaluationError: formatErrors(errors) } : {}),
  };
});
