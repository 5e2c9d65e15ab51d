import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { findDay, invalidSinceLabel, lastUsedLabel } from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { Secret } from '../../../api/types/core-v1.ts';

/** A year: for so long a token lies unused before it is believed no more, and again before it is deleted. */
export const cleaningPeriodMs = 365 * 24 * 3_600_000;

export interface TokenUse {
  /** The time since which uses have been noted; undefined: not known. */
  readonly trackedSinceMs: number | undefined;
  /** Whether the Secret was generated with its service account, as before v1.24, and not created by a user. */
  readonly isGenerated: boolean;
  readonly isMounted: boolean;
}

/** The next step for a Secret that holds a token. */
export function planCleaning({ metadata }: DeepReadonly<Secret>, use: TokenUse, nowMs: number): 'keep' | 'invalidate' | 'delete' {
  const { trackedSinceMs, isGenerated, isMounted } = use;
  const limitMs = nowMs - cleaningPeriodMs;
  const isLongAgo = (ms: number | undefined) => ms !== undefined && ms < limitMs;
  if (!isGenerated || isMounted || metadata.deletionTimestamp !== undefined) return 'keep';
  if (!isLongAgo(trackedSinceMs) || !isLongAgo(findTime(metadata.creationTimestamp))) return 'keep';
  const lastUsed = metadata.labels?.[lastUsedLabel];
  // A day that cannot be read may be any.
  if (lastUsed !== undefined && !isLongAgo(findDay(lastUsed))) return 'keep';
  const invalidSinceMs = findDay(metadata.labels?.[invalidSinceLabel]);
  if (invalidSinceMs === undefined) return 'invalidate';
  return isLongAgo(invalidSinceMs) ? 'delete' : 'keep';
}
