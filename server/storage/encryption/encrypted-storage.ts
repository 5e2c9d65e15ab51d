import type { Logger } from '../../../api/base/logger.ts';
import {
  type CommitResult,
  type Storage,
  StorageError,
  type StorageEvent,
  type StoredEntry,
  type Transaction,
  type WatchBatch,
  type WatchOptions,
} from '../storage.ts';
import type { Transformer } from './transformer.ts';

/** How the values of a resource are kept, or undefined where they are kept as they are. */
export type FindTransformer = (key: string) => Omit<Transformer, 'prefix'> | undefined;

/**
 * A store whose values are encrypted in the store below it. What cannot be decrypted is handed on as it is: it is found to
 * be damaged where the object is asked for, and stands in nobody else's way. Where the keys cannot be had at the moment,
 * reading rejects with StorageError 'unavailable': a cache must not keep as damaged what is not.
 */
export function encryptStorage(inner: Storage, find: FindTransformer, logger: Logger): Storage {
  const told = new Set<string>();
  const decryptEntry = async <T extends StoredEntry | undefined>(entry: T): Promise<T> => {
    const transformer = entry && find(entry.key);
    if (!entry || !transformer || entry.value.length === 0) return entry;
    try {
      return { ...entry, value: (await transformer.decrypt(entry.value, entry.key)).value };
    } catch (error) {
      if (error instanceof StorageError && error.reason === 'unavailable') throw error;
      const resource = entry.key.split('/').slice(0, 3).join('/');
      // Each resource once: a missing key concerns all of its objects.
      if (!told.has(resource)) logger.error('a value cannot be decrypted with the keys that are configured', { key: entry.key, error });
      told.add(resource);
      return entry;
    }
  };
  const decryptAll = (entries: readonly StoredEntry[]) => Promise.all(entries.map((entry) => decryptEntry(entry)));
  const encryptAll = async ({ conditions, operations }: Transaction): Promise<Transaction> => ({
    conditions,
    operations: await Promise.all(
      operations.map(async (operation) => {
        const transformer = operation.type === 'put' ? find(operation.key) : undefined;
        if (operation.type !== 'put' || !transformer) return operation;
        return { ...operation, value: await transformer.encrypt(operation.value, operation.key) };
      }),
    ),
  });
  const decryptEvent = async (event: StorageEvent, wantsPrevious: boolean): Promise<StorageEvent> => {
    if (!find(event.key)) return event;
    const { type, key, revision } = event;
    const entry = await decryptEntry(event.entry);
    const previous = wantsPrevious ? await decryptEntry(event.previous) : undefined;
    return { type, key, revision, ...(entry ? { entry } : {}), ...(previous ? { previous } : {}) };
  };
  async function* watch(options: WatchOptions): AsyncGenerator<WatchBatch> {
    const wantsPrevious = options.wantsPrevious ?? true;
    for await (const batch of inner.watch(options))
      yield { ...batch, events: await Promise.all(batch.events.map((event) => decryptEvent(event, wantsPrevious))) };
  }
  return {
    ...forward(inner),
    watch,
    async get(key, options) {
      const { entry, ...rest } = await inner.get(key, options);
      return entry ? { ...rest, entry: await decryptEntry(entry) } : rest;
    },
    async range(options) {
      const found = await inner.range(options);
      return options.keysOnly ? found : { ...found, entries: await decryptAll(found.entries) };
    },
    async commit(transaction): Promise<CommitResult> {
      const result = await inner.commit(await encryptAll(transaction));
      return result.succeeded ? result : { ...result, current: await Promise.all(result.current.map(decryptEntry)) };
    },
    async isStale(key) {
      const transformer = find(key);
      const { entry } = transformer ? await inner.get(key) : {};
      if (!transformer || !entry) return false;
      return (await transformer.decrypt(entry.value, key)).isStale;
    },
  };
}

/** What has nothing to do with values. Methods of stores may live on their prototype. */
function forward(inner: Storage): Pick<Storage, 'currentRevision' | 'compact' | 'checkHealth' | 'sizeBytes' | 'close'> {
  return {
    currentRevision: () => inner.currentRevision(),
    compact: (revision) => inner.compact(revision),
    checkHealth: (signal) => inner.checkHealth(signal),
    ...(inner.sizeBytes ? { sizeBytes: async () => (await inner.sizeBytes?.()) ?? 0 } : {}),
    close: () => inner.close(),
  };
}
