import { formatTime } from '../../../api/meta/time.ts';
import { selfSubjectReviews as definition } from '../../../api/resources/authentication/v1/self-subject-review.ts';
import type { SelfSubjectReview } from '../../../api/types/authentication-v1.ts';
import { defineReview } from './review.ts';

/** Answers with the user's own identity (`kubectl auth whoami`, KEP-3325). */
export const selfSubjectReviews = defineReview<SelfSubjectReview>(definition, async (review, { user, clock }) => {
  const { name, uid, groups, extra } = user;
  // Only the answer is given back.
  review.metadata = { creationTimestamp: formatTime(clock.nowMs()) };
  review.status = {
    userInfo: {
      username: name,
      ...(uid === undefined ? {} : { uid }),
      groups: [...groups],
      ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
    },
  };
});
