import type { Clock } from '../../../api/base/clock.ts';
import type { AuditRecord } from '../audit/audit-record.ts';

/** Counts how long a request waits for the store, reads included, where it is audited. */
export async function storeLatency<T>(
  { addLatency }: Partial<Pick<AuditRecord, 'addLatency'>>,
  clock: Clock,
  work: Promise<T>,
): Promise<T> {
  if (addLatency === undefined) return await work;
  const startMs = clock.monotonicMs();
  try {
    return await work;
  } finally {
    addLatency('etcd', clock.monotonicMs() - startMs);
  }
}
