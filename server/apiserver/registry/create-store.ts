import { notFound } from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { createObject } from './create-object.ts';
import { deleteObject } from './delete-object.ts';
import { interpretStorageError } from './interpret-storage-error.ts';
import { reachRevision } from './reach-revision.ts';
import { readBatches } from './read-batches.ts';
import type { RegistryDependencies } from './registry-dependencies.ts';
import type { Store } from './store.ts';
import { createStoreCore } from './store-core.ts';
import { updateObject } from './update-object.ts';

/** The registry of one stored resource. */
export function createStore(definition: ResourceDefinition, dependencies: RegistryDependencies): Store {
  const core = createStoreCore(definition, dependencies);
  const read = async (key: string, signal: AbortSignal) => {
    await reachRevision(core.cache, 'newest', signal);
    return core.cache.get(key);
  };
  const interpreted = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw interpretStorageError(error, definition);
    }
  };
  return {
    definition,
    cache: core.cache,
    largeObjects: core.largeObjects,
    async get({ namespace, name }, signal) {
      const cached = await interpreted(read(definition.scope === 'Namespaced' ? `${namespace}/${name}` : name, signal));
      if (!cached) throw notFound(definition, name);
      return cached;
    },
    readBatches: (query) => readBatches(core.cache, dependencies.storage, `/registry/${definition.storagePrefix}/`, query),
    create: (object, namespace, context) => interpreted(createObject(core, object, namespace, context)),
    update: (key, options) => interpreted(updateObject(core, key, options)),
    delete: (key, options, context) => interpreted(deleteObject(core, key, options, context)),
    read: (cached) => core.codec.read(cached),
    bytes: (cached) => core.codec.bytes(cached),
    protobuf: (cached) => core.codec.protobuf(cached),
  };
}
