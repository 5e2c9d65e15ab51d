import type { Verdict } from './compare-answers.ts';
import type { DifferentialRequest } from './differential-request.ts';

/** Two answers that differ, and what kube-apiserver answers an administrator instead of a refusal. */
export interface Differing {
  readonly request: DifferentialRequest;
  readonly theirs: Verdict;
  readonly ours: Verdict;
  readonly asAdmin: Verdict;
}

/** A way in which kubets is meant to answer otherwise than kube-apiserver v1.32, and why. */
export interface Deviation {
  readonly reason: string;
  matches(differing: Differing): boolean;
}

const unprintable = /\\x[0-9a-f]{2}|\\ufffd|\ufffd/g;

export const deviations: readonly Deviation[] = [
  {
    reason: 'paths and methods that do not exist are answered 404 and 405 before rights are asked',
    matches: ({ theirs, ours, asAdmin }) =>
      theirs.status === 403 && (ours.status === 404 || ours.status === 405) && asAdmin.status === ours.status,
  },
  {
    reason: 'octets of a path that are no UTF-8 are shown as U+FFFD',
    matches: ({ theirs, ours }) =>
      theirs.status === ours.status &&
      theirs.message !== '' &&
      theirs.message.replace(unprintable, '') === ours.message.replace(unprintable, ''),
  },
];
