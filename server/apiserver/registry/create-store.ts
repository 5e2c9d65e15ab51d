import type { ObjectKey } from '../../../api/meta/object.ts';
import { notFound } from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { createObject } from './writes/create-object.ts';
import { deleteObject } from './writes/delete-object.ts';
import { interpretStorageError } from './interpret-storage-error.ts';
import { reachNewest } from './reach-revision.ts';
import { readBatches } from './read-batches.ts';
import { readTimeoutMs, type RegistryDependencies } from './registry-dependencies.ts';
import type { Store } from './store.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import { createStoreCore, type StoreCore } from './store-core.ts';
import { updateObject } from './writes/update-object.ts';

/** The store of one resource. */
export function createStore(definition: ResourceDefinition, dependencies: RegistryDependencies): Store {
  const core = createStoreCore(definition, dependencies);
  const interpreted = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw interpretStorageError(error, definition);
    }
  };
  /** The cache's revision when it was waited for in vain: it is not waited for again until its revision changes. */
  let stuckAt: number | undefined;
  return {
    definition,
    cache: core.cache,
    largeObjects: core.largeObjects,
    async get(key, signal) {
      const found = await interpreted(getNewest(core, key, signal));
      if (!found) throw notFound(definition, key.name);
      await core.codec.prepare?.([found], signal);
      return found;
    },
    async reachNewest(signal) {
      const timeoutMs = core.cache.revision() === stuckAt ? cacheLagMs : readTimeoutMs;
      const newer = await interpreted(reachNewest(core.cache, dependencies.storage, timeoutMs, signal));
      stuckAt = newer === undefined ? undefined : core.cache.revision();
      return newer;
    },
    readBatches: (query) => readBatches(core.cache, dependencies.storage, `/registry/${definition.storagePrefix}/`, query),
    create: (object, namespace, context) => interpreted(createObject(core, object, namespace, context)),
    update: (pipeline, key, options) => interpreted(updateObject(core, pipeline, key, options)),
    delete: (pipeline, key, options, context) => interpreted(deleteObject(core, pipeline, key, options, context)),
    convertVersions: core.convertVersions,
    prepare: core.codec.prepare,
    read: (cached) => core.codec.read(cached),
    bytes: (cached) => core.codec.bytes(cached),
    protobuf: (cached) => core.codec.protobuf(cached),
    hasProtobuf: (cached) => core.codec.hasProtobuf(cached),
    keepProtobuf: (cached, bytes) => core.codec.keepProtobuf(cached, bytes),
  };
}

/** A store that answers is asked itself where the cache is later than this; upstream always asks the store. */
const cacheLagMs = 100;

async function getNewest(core: StoreCore, key: ObjectKey, signal: AbortSignal): Promise<CachedObject | undefined> {
  const { cache, definition, dependencies } = core;
  const newer = await reachNewest(cache, dependencies.storage, cacheLagMs, signal);
  if (newer === undefined) return cache.get(definition.scope === 'Namespaced' ? `${key.namespace}/${key.name}` : key.name);
  const { entry } = await dependencies.storage.get(core.storageKey(key));
  return entry && cache.wrap(entry);
}
