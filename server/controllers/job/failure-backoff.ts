import type { JobAccount } from './job-account.ts';
import { finishedAtMs } from './job-pods.ts';

const baseMs = 10_000;
const maxMs = 600_000;

interface Record {
  /** The number of failures since the last success. */
  failures: number;
  lastFailureMs: number;
  /** Pods of the last round: they stay fresh until the cache shows the status in which they are written down. */
  seen: ReadonlySet<string>;
}

/** How long a Job waits before it replaces failed Pods: 10 s, doubling with every failure since the last success, up to 10 min. */
export class FailureBackoff {
  readonly #records = new Map<string, Record>();

  observe(jobUid: string, fresh: JobAccount['fresh'], nowMs: number): void {
    const record = this.#records.get(jobUid) ?? { failures: 0, lastFailureMs: 0, seen: new Set<string>() };
    const unseen = fresh.filter(({ pod }) => !record.seen.has(pod.metadata.uid ?? ''));
    const inOrder = unseen.map((one) => ({ ...one, atMs: finishedAtMs(one.pod, nowMs) })).sort((a, b) => a.atMs - b.atMs);
    for (const { isFailure, atMs } of inOrder) {
      record.failures = isFailure ? record.failures + 1 : 0;
      if (isFailure) record.lastFailureMs = atMs;
    }
    if (fresh.length === 0) return;
    record.seen = new Set(fresh.map(({ pod }) => pod.metadata.uid ?? ''));
    this.#records.set(jobUid, record);
  }

  remainingMs(jobUid: string, nowMs: number): number {
    const record = this.#records.get(jobUid);
    if (record === undefined || record.failures === 0) return 0;
    return Math.max(0, record.lastFailureMs + backoffMs(record.failures) - nowMs);
  }

  forget(jobUid: string): void {
    this.#records.delete(jobUid);
  }
}

export function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(baseMs * 2 ** (failures - 1), maxMs);
}
