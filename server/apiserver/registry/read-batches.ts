import { prefixEnd, type Storage, StorageError } from '../../storage/storage.ts';
import type { CachedObject, WatchCache } from '../../storage/watch-cache/watch-cache.ts';

export interface BatchQuery {
  /** Relative to the resource, e.g. 'default/'. */
  readonly keyPrefix: string;
  /** Absent: the cache's newest. */
  readonly revision?: number;
  readonly after?: string;
}

/** Objects in key order, a few hundred at a time, so that readers can give other work a turn in between. */
export interface Batches {
  readonly revision: number;
  /** The count of the whole range. */
  readonly count: number;
  readonly batches: AsyncIterable<readonly CachedObject[]>;
}

const batchSize = 500;

/**
 * From memory; a past that is no longer held there, or a revision that the cache has not reached, is read from the store.
 * Throws StorageError 'compacted' where that has forgotten it too.
 */
export async function readBatches(cache: WatchCache, storage: Storage, resourcePrefix: string, query: BatchQuery): Promise<Batches> {
  try {
    const { revision, count, objects } = cache.list(query);
    return { revision, count, batches: fromMemory(objects) };
  } catch (error) {
    if (!isInStore(error) || query.revision === undefined) throw error;
    return fromHistory(cache, storage, resourcePrefix, query, query.revision);
  }
}

function isInStore(error: unknown): boolean {
  return error instanceof StorageError && (error.reason === 'compacted' || error.reason === 'future-revision');
}

async function* fromMemory(objects: Iterable<CachedObject>): AsyncGenerator<readonly CachedObject[]> {
  let batch: CachedObject[] = [];
  for (const object of objects) {
    batch.push(object);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
    await nextTurn();
  }
  yield batch;
}

async function fromHistory(
  cache: WatchCache,
  storage: Storage,
  resourcePrefix: string,
  { keyPrefix, after }: BatchQuery,
  revision: number,
): Promise<Batches> {
  const prefix = resourcePrefix + keyPrefix;
  const end = prefixEnd(prefix);
  const read = (start: string, wantsCount = false) => storage.range({ start, end, limit: batchSize, revision, wantsCount });
  const first = await read(after === undefined ? prefix : `${resourcePrefix}${after}\0`, true);
  async function* pages(): AsyncGenerator<readonly CachedObject[]> {
    for (let page = first; ; page = await read(`${page.entries.at(-1)?.key ?? prefix}\0`)) {
      yield page.entries.map((entry) => cache.wrap(entry));
      if (!page.more) return;
    }
  }
  return { revision, count: first.count, batches: pages() };
}

/** Gives all waiting work a turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
