import { type Clock, sleep } from '../../../api/base/clock.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { type CommitResult, type Storage, StorageError, type Transaction, type WatchBatch } from '../storage.ts';

/** Shares of calls, from 0 to 1. */
export interface StorageFaults {
  /** Calls that fail and have done nothing, as when the connection to etcd is refused. */
  readonly refused?: number;
  /** Commits that are done although they fail, as when the connection is lost before etcd's answer arrives. */
  readonly lostAnswers?: number;
  /** The number of commits whose outcome is reported as unknown although they were not made: etcd never received them. */
  readonly lostRequests?: number;
  /** Calls that take up to `slowMs` longer, before or after they are done. */
  readonly slow?: number;
  readonly slowMs?: number;
  /** Batches of watches that come up to `lateMs` later. Order and completeness are kept. */
  readonly late?: number;
  readonly lateMs?: number;
}

/** The message of a call that has failed before anything was done. */
export const refusedMessage = 'etcd: connection refused (a fault of the test)';
/** The message of a commit whose outcome is unknown. */
export const unknownMessage = 'etcd: connection lost (a fault of the test)';

export interface FaultyStorage {
  readonly storage: Storage;
  /** Sets the faults from now on. */
  setFaults(faults: StorageFaults): void;
  /** Number of calls that have failed so far. */
  failures(): number;
}

/**
 * A view of a store that is slow, late and lossy, like a connection to etcd can be. It does nothing that etcd could not do: the order and
 * completeness of watches stay, an acknowledged commit is in the store, and a refused one is not.
 */
export function createFaultyStorage(
  inner: Storage,
  { random, clock, faults: initial = {} }: { readonly random: Random; readonly clock: Clock; readonly faults?: StorageFaults },
): FaultyStorage {
  let faults = initial;
  let failures = 0;
  const happens = (share: number | undefined) => share !== undefined && share > 0 && random.next() < share;
  const delay = async (share: number | undefined, maxMs: number) => {
    if (happens(share)) await sleep(clock, randomInt(random, maxMs) + 1);
  };
  const fail = (message: string, isOutcomeUnknown = false): StorageError => {
    failures++;
    return new StorageError('unavailable', message, { isOutcomeUnknown });
  };
  const called = async <T>(call: () => Promise<T>): Promise<T> => {
    await delay(faults.slow, faults.slowMs ?? 3);
    if (happens(faults.refused)) throw fail(refusedMessage);
    const result = await call();
    await delay(faults.slow, faults.slowMs ?? 3);
    return result;
  };
  const commit = (transaction: Transaction): Promise<CommitResult> =>
    called(async () => {
      if (happens(faults.lostRequests)) throw fail(unknownMessage, true);
      const result = await inner.commit(transaction);
      if (happens(faults.lostAnswers)) throw fail(unknownMessage, true);
      return result;
    });
  async function* watch(options: Parameters<Storage['watch']>[0]): AsyncGenerator<WatchBatch> {
    for await (const batch of inner.watch(options)) {
      await delay(faults.late, faults.lateMs ?? 10);
      if (options.signal.aborted) return;
      yield batch;
    }
  }
  const replaced: Partial<Storage> = {
    currentRevision: () => called(() => inner.currentRevision()),
    get: (key, options) => called(() => inner.get(key, options)),
    range: (options) => called(() => inner.range(options)),
    commit,
    watch,
  };
  return {
    // The methods of a store may live on its prototype.
    storage: Object.assign(Object.create(inner) as Storage, replaced),
    setFaults(next) {
      faults = next;
    },
    failures: () => failures,
  };
}
