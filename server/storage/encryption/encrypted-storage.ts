import type { Clock } from '../../../api/base/clock.ts';
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
import { createKeyPatience, type KeyPatience } from './key-patience.ts';
import type { Transformer } from './transformer.ts';

/** How the values of a resource are kept, or undefined where they are kept as they are. */
export type FindTransformer = (key: string) => Omit<Transformer, 'prefix'> | undefined;

interface EncryptStorageDependencies {
  readonly find: FindTransformer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** For values that are read at once, as at the start: longer than a plugin is waited for. */
const rangePatienceMs = 15_000;
/** The longest wait for a plugin before a change is passed on: changes of all resources wait behind it. Most plugins answer sooner. */
const watchPatienceMs = 200;

/**
 * A store whose values are encrypted in the store below it. What cannot be decrypted is handed on as it is: it is found to
 * be damaged where the object is asked for, and stands in nobody else's way. Where a key is not available at present, reading
 * rejects with StorageError 'unavailable', or hands on the value as sealed to those who accept that: a cache must not keep as
 * damaged what is not, and must go on with the resources that need no key.
 */
export function encryptStorage(inner: Storage, { find, clock, logger }: EncryptStorageDependencies): Storage {
  const told = new Set<string>();
  const decryptEntry = async <T extends StoredEntry | undefined>(entry: T, patience?: KeyPatience): Promise<T> => {
    const transformer = entry && find(entry.key);
    if (!entry || !transformer || entry.value.length === 0) return entry;
    try {
      const decryption = transformer.decrypt(entry.value, entry.key);
      const { value } = await (patience && decryption instanceof Promise ? patience(decryption) : decryption);
      return { ...entry, value };
    } catch (error) {
      if (error instanceof StorageError && error.reason === 'unavailable') {
        if (patience) return { ...entry, isSealed: true };
        throw error;
      }
      const resource = entry.key.split('/').slice(0, 3).join('/');
      // Each resource once: a missing key concerns all of its objects.
      if (!told.has(resource)) logger.error('a value cannot be decrypted with the keys that are configured', { key: entry.key, error });
      told.add(resource);
      return entry;
    }
  };
  const rangePatience = createKeyPatience(clock, rangePatienceMs);
  const watchPatience = createKeyPatience(clock, watchPatienceMs);
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
  const decryptEvent = async (event: StorageEvent, { wantsPrevious = true, acceptsSealed }: WatchOptions): Promise<StorageEvent> => {
    if (!find(event.key)) return event;
    const { type, key, revision } = event;
    const patience = acceptsSealed ? watchPatience : undefined;
    const entry = await decryptEntry(event.entry, patience);
    const previous = wantsPrevious ? await decryptEntry(event.previous, patience) : undefined;
    return { type, key, revision, ...(entry ? { entry } : {}), ...(previous ? { previous } : {}) };
  };
  async function* watch(options: WatchOptions): AsyncGenerator<WatchBatch> {
    for await (const batch of inner.watch(options))
      yield { ...batch, events: await Promise.all(batch.events.map((event) => decryptEvent(event, options))) };
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
      if (options.keysOnly) return found;
      const patience = options.acceptsSealed ? rangePatience : undefined;
      return { ...found, entries: await Promise.all(found.entries.map((entry) => decryptEntry(entry, patience))) };
    },
    async commit(transaction): Promise<CommitResult> {
      const result = await inner.commit(await encryptAll(transaction));
      return result.succeeded ? result : { ...result, current: await Promise.all(result.current.map((entry) => decryptEntry(entry))) };
    },
    async isStale(key) {
      const transformer = find(key);
      const { entry } = transformer ? await inner.get(key) : {};
      if (!transformer || !entry) return false;
      return (await transformer.decrypt(entry.value, key)).isStale;
    },
  };
}

/** The methods that have nothing to do with values. Methods of stores may live on their prototype. */
function forward(inner: Storage): Pick<Storage, 'currentRevision' | 'compact' | 'checkHealth' | 'sizeBytes' | 'failed' | 'close'> {
  return {
    currentRevision: () => inner.currentRevision(),
    compact: (revision) => inner.compact(revision),
    checkHealth: (signal) => inner.checkHealth(signal),
    ...(inner.sizeBytes ? { sizeBytes: async () => (await inner.sizeBytes?.()) ?? 0 } : {}),
    ...(inner.failed ? { failed: inner.failed } : {}),
    close: () => inner.close(),
  };
}
