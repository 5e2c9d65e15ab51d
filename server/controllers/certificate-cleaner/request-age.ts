import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { CertificateSigningRequest } from '../../../api/types/certificates-v1.ts';

const hourMs = 3_600_000;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/**
 * The time at which a request is deleted: an hour after it was denied, failed or granted, a day after its creation if it is still
 * undecided.
 */
export function requestEndMs({ metadata, status }: DeepReadonly<CertificateSigningRequest>): number {
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return (findTime(metadata.creationTimestamp) ?? 0) + pendingMs;
  const ends = conditions
    .filter(({ type }) => type === 'Denied' || type === 'Failed' || (type === 'Approved' && status?.certificate))
    .map(({ lastUpdateTime }) => (findTime(lastUpdateTime) ?? Number.POSITIVE_INFINITY) + decidedMs);
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}
