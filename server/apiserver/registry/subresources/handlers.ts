import { componentStatuses } from './component-statuses.ts';
import { selfSubjectReviews } from './self-subject-reviews.ts';
import { localSubjectAccessReviews, selfSubjectAccessReviews, subjectAccessReviews } from './subject-access-reviews.ts';
import type { SubresourceHandler } from './subresource.ts';
import { tokenReviews } from './token-reviews.ts';

/** Every subresource with behaviour of its own and every resource that is stored nowhere: the written list. */
export const subresourceHandlers: readonly SubresourceHandler[] = [
  componentStatuses,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  subjectAccessReviews,
  tokenReviews,
];
