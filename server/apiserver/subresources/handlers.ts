import { componentStatuses } from './component-statuses.ts';
import { bindings, podBinding } from './pod-binding.ts';
import { podEviction } from './pod-eviction.ts';
import { podLog } from './pod-log.ts';
import { podAttach, podExec, podPortForward } from './pod-streams.ts';
import { nodeProxy, podProxy, serviceProxy } from './proxies.ts';
import { scales } from './scale.ts';
import { selfSubjectReviews } from './self-subject-reviews.ts';
import { serviceAccountToken } from './service-account-token.ts';
import { selfSubjectRulesReviews } from './self-subject-rules-reviews.ts';
import { localSubjectAccessReviews, selfSubjectAccessReviews, subjectAccessReviews } from './subject-access-reviews.ts';
import type { SubresourceHandler } from './subresource.ts';
import { tokenReviews } from './token-reviews.ts';

/** The list of every subresource with its own behaviour and of every resource that is not stored. */
export const subresourceHandlers: readonly SubresourceHandler[] = [
  bindings,
  componentStatuses,
  localSubjectAccessReviews,
  nodeProxy,
  podAttach,
  podBinding,
  podEviction,
  podExec,
  podLog,
  podPortForward,
  podProxy,
  ...scales,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  selfSubjectRulesReviews,
  serviceAccountToken,
  serviceProxy,
  subjectAccessReviews,
  tokenReviews,
];
