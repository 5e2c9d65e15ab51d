import type { Clock } from '../../../api/base/clock.ts';
import type { CommitResult, Condition, GetResult, RangeOptions, RangeResult, Storage, StoredEntry, Transaction } from '../storage.ts';
import { StorageError } from '../storage.ts';
import { assertOperationCount, assertRequestSize } from '../request-size.ts';
import { CommitQueue } from './commit-queue.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { watchLog } from './log-watch.ts';
import type { RecordStore, Version } from './version.ts';
import type { VersionIndex } from './version-index.ts';

interface VersionedStorageDependencies {
  readonly records: RecordStore;
  /** The index of the versions that `records` holds. */
  readonly index: VersionIndex;
  /** The newest revision in `records`. */
  readonly revision: number;
  readonly clock: Clock;
}

const noBytes = new Uint8Array();

/**
 * The Storage of one process that owns its data: keys and revisions are in memory, values where `records` puts them.
 * Commits are ordered and conditions decided in memory; a commit is shown to readers and watches, and acknowledged, once
 * its group is durable. Watches are told within the turn in which the group became so, before its writers are.
 */
export function createVersionedStorage({ records, index, revision, clock }: VersionedStorageDependencies): Storage {
  let isClosed = false;
  const waiting = new Set<() => void>();
  const expiry = new ExpiryQueue({
    clock,
    isCurrent: (version) => index.newest(version.key) === version,
    expire: (due) => expireKeys(storage, due),
  });
  const failed = Promise.withResolvers<StorageError>();
  const queue = new CommitQueue({
    onFailure: failed.resolve,
    index,
    records,
    revision,
    onDurable(versions) {
      for (const version of versions) if (version.expiresAtMs > 0) expiry.add(version);
      for (const wake of waiting) wake();
    },
  });
  const entryOf = (version: Version, keysOnly = false): StoredEntry => ({
    key: version.key,
    value: keysOnly ? noBytes : (version.value ?? records.read(version)),
    createRevision: version.createRevision,
    modRevision: version.revision,
  });
  const assertOpen = () => {
    if (isClosed) throw new StorageError('closed', 'the storage has been closed');
  };
  const readableRevision = (wanted: number | undefined): number => {
    assertOpen();
    if (!wanted) return queue.revision;
    if (wanted > queue.revision)
      throw new StorageError('future-revision', `required revision ${wanted} is a future revision`, { revision: queue.revision });
    if (wanted < index.compactRevision)
      throw new StorageError('compacted', `required revision ${wanted} has been compacted`, { revision: index.compactRevision });
    return wanted;
  };

  const storage: Storage = {
    failed: failed.promise,
    async currentRevision() {
      assertOpen();
      return queue.revision;
    },
    async get(key, options): Promise<GetResult> {
      const version = index.at(key, readableRevision(options?.revision));
      return version ? { entry: entryOf(version), revision: queue.revision } : { revision: queue.revision };
    },
    async range(options: RangeOptions): Promise<RangeResult> {
      const at = readableRevision(options.revision);
      const limit = options.limit || Number.POSITIVE_INFINITY;
      const entries: StoredEntry[] = [];
      let count = 0;
      const { wantsCount = true } = options;
      index.walk(options.start, options.end, at, (version) => {
        if (count++ < limit) entries.push(entryOf(version, options.keysOnly));
        return wantsCount || count <= limit;
      });
      return { entries, more: count > entries.length, count, revision: at };
    },
    async commit(transaction: Transaction): Promise<CommitResult> {
      assertDistinctKeys(transaction);
      assertOperationCount(transaction);
      assertRequestSize(transaction);
      for (;;) {
        assertOpen();
        const newest = transaction.conditions.map((condition) => index.newest(condition.key));
        if (transaction.conditions.every((condition, at) => holds(condition, newest[at])))
          return { succeeded: true, revision: await queue.commit(transaction.operations, clock.nowMs()) };
        const seen = queue.revision;
        if (newest.every((version) => version === undefined || version.revision <= seen)) {
          const current = newest.map((version) => (version === undefined || version.deleted ? undefined : entryOf(version)));
          return { succeeded: false, revision: seen, current };
        }
        await queue.settled(); // an answer must not show what a power cut could still undo
      }
    },
    watch: (options) => watchLog({ index, waiting, entryOf, revision: () => queue.revision, closed: () => isClosed }, options),
    async compact(upTo) {
      readableRevision(Math.max(upTo, index.compactRevision));
      if (upTo <= index.compactRevision) return;
      await records.compact(upTo, index.compact(upTo));
    },
    async checkHealth(signal) {
      assertOpen();
      if (queue.failure) throw queue.failure;
      await Promise.race([records.probe(), rejectOnAbort(signal)]);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      expiry.close();
      await queue.idle();
      for (const wake of waiting) wake();
      await records.close();
    },
  };
  index.walk('', '\uffff', revision, (version) => {
    if (version.expiresAtMs > 0) expiry.add(version);
    return true;
  });
  return storage;
}

function holds(condition: Condition, newest: Version | undefined): boolean {
  return condition.modRevision === (newest === undefined || newest.deleted ? 0 : newest.revision);
}

/** Refuses a transaction that changes a key twice, as etcd does. */
function assertDistinctKeys({ operations }: Transaction): void {
  if (operations.length < 2) return;
  const keys = new Set(operations.map((operation) => operation.key));
  if (keys.size < operations.length) throw new Error('duplicate key given in transaction');
}

/** Deletes keys that expired together in one revision, or one by one if one of them was changed meanwhile. */
async function expireKeys(storage: Storage, due: readonly Version[]): Promise<void> {
  const perTransaction = 100;
  for (let from = 0; from < due.length; from += perTransaction) {
    const chunk = due.slice(from, from + perTransaction);
    const result = await storage.commit(deletionOf(chunk));
    if (!result.succeeded) for (const version of chunk) await storage.commit(deletionOf([version]));
  }
}

function deletionOf(versions: readonly Version[]): Transaction {
  return {
    conditions: versions.map(({ key, revision }) => ({ key, modRevision: revision })),
    operations: versions.map(({ key }) => ({ type: 'delete', key })),
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new StorageError('timeout', 'the storage did not answer in time', { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
