import type { Clock } from '../../api/base/clock.ts';
import { sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Storage } from './storage.ts';
import { StorageError } from './storage.ts';

export interface CompactorDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the compactor. */
  readonly signal: AbortSignal;
  /** Milliseconds between rounds: this much of the past is always kept. Default five minutes, as upstream. */
  readonly intervalMs?: number;
  /** A compaction comes earlier when more revisions than this were made, which bounds the memory of an in-process store. */
  readonly maxRevisions?: number;
  /** Called after each compaction, also by other servers: revisions before it may be gone. */
  readonly onCompacted?: (revision: number) => void;
}

/** Upstream's key. Every API server of a cluster reads and writes it, so that one of them compacts in each interval. */
const turnKey = 'compact_rev_key';

const checkIntervalMs = 10_000;

/** The revisions known since the last round. */
interface Round {
  /** The revision of the turn key. */
  readonly modRevision: number;
  /** The revision that the store had then; 0 before the first round. */
  readonly revision: number;
}

/**
 * Forgets the past beyond five to ten minutes. As upstream, each round compacts to the revision that the store had in the
 * round before. Rounds of several servers are coordinated by a key whose value is that revision: a server that finds it
 * changed since its last round has been forestalled and leaves this round to the other. Resolves when `signal` is aborted.
 */
export async function runCompactor(dependencies: CompactorDependencies): Promise<void> {
  const { signal, logger } = dependencies;
  let last: Round = { modRevision: 0, revision: 0 };
  while (!signal.aborted) {
    try {
      await nextRound(dependencies, last);
      last = await takeRound(dependencies, last);
    } catch (error) {
      if (!signal.aborted) logger.warn('Could not compact the store', { error });
    }
  }
}

/** Waits for the interval to pass, or for too many revisions. Rejects when aborted. */
async function nextRound(dependencies: CompactorDependencies, last: Round): Promise<void> {
  const { storage, clock, signal, intervalMs = 300_000, maxRevisions } = dependencies;
  const dueMs = clock.monotonicMs() + intervalMs;
  for (let leftMs = intervalMs; leftMs > 0; leftMs = dueMs - clock.monotonicMs()) {
    await sleep(clock, maxRevisions === undefined ? leftMs : Math.min(leftMs, checkIntervalMs), signal);
    if (maxRevisions !== undefined && (await storage.currentRevision()) - last.revision > maxRevisions) return;
  }
}

async function takeRound({ storage, logger, onCompacted }: CompactorDependencies, last: Round): Promise<Round> {
  const value = Buffer.from(String(last.revision));
  const conditions = [{ key: turnKey, modRevision: last.modRevision }];
  const result = await storage.commit({ conditions, operations: [{ type: 'put', key: turnKey, value }] }).catch(async (error: unknown) => {
    // a full store cannot be written, but compaction may free space
    if (error instanceof StorageError && error.reason === 'no-space' && last.revision > 0) await storage.compact(last.revision);
    throw error;
  });
  if (!result.succeeded) {
    const byOther = Number(Buffer.from(result.current[0]?.value ?? []).toString());
    if (byOther > 0) onCompacted?.(byOther);
  }
  if (!result.succeeded) return { modRevision: result.current[0]?.modRevision ?? 0, revision: result.revision };
  if (last.revision > 0) {
    await storage.compact(last.revision);
    onCompacted?.(last.revision);
    logger.info('Compacted the store', { revision: last.revision });
  }
  return { modRevision: result.revision, revision: result.revision };
}
