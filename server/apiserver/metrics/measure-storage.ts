import type { Clock } from '../../../api/base/clock.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Operation, Storage } from '../../storage/storage.ts';
import type { StoreCounter } from './store-metrics.ts';

const root = '/registry/';

/** Counts how long the store takes, by operation and resource. */
export function measureStorage(
  storage: Storage,
  catalog: { readonly snapshot: { readonly definitions: readonly ResourceDefinition[] } },
  metrics: { readonly storeRequest: StoreCounter },
  clock: Clock,
): Storage {
  let resources = new Map<string, string>();
  let indexed: readonly ResourceDefinition[] | undefined;
  const index = () => {
    const { definitions } = catalog.snapshot;
    if (definitions === indexed) return;
    indexed = definitions;
    resources = new Map();
    for (const definition of definitions)
      if (definition.storagePrefix !== undefined) resources.set(definition.storagePrefix, nameOf(definition));
  };
  const resourceOf = (key: string): string => {
    index();
    const [first = '', second = ''] = key.slice(root.length).split('/', 2);
    return resources.get(first) ?? resources.get(`${first}/${second}`) ?? 'other';
  };
  const measure = async <T>(operation: string, key: string, work: Promise<T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    let isFailed = true;
    try {
      const result = await work;
      isFailed = false;
      return result;
    } finally {
      metrics.storeRequest(operation, resourceOf(key), (clock.monotonicMs() - startMs) / 1000, isFailed);
    }
  };
  return {
    currentRevision: () => storage.currentRevision(),
    get: (key, options) => measure('get', key, storage.get(key, options)),
    range: (options) => measure('list', options.start, storage.range(options)),
    commit(transaction) {
      const [first] = transaction.operations;
      return first
        ? measure(operationOf(first, transaction.conditions[0]?.modRevision), first.key, storage.commit(transaction))
        : storage.commit(transaction);
    },
    watch: (options) => storage.watch(options),
    ...(storage.isStale ? { isStale: async (key: string) => (await storage.isStale?.(key)) ?? false } : {}),
    compact: (revision) => storage.compact(revision),
    checkHealth: (signal) => storage.checkHealth(signal),
    close: () => storage.close(),
  };
}

const names = new WeakMap<ResourceDefinition, string>();

/** The name is kept: of many kinds one comes at a time, and all are indexed again. */
function nameOf(definition: ResourceDefinition): string {
  let name = names.get(definition);
  if (name === undefined) names.set(definition, (name = groupResource(definition)));
  return name;
}

function operationOf({ type }: Operation, expectedRevision: number | undefined): string {
  if (type === 'delete') return 'delete';
  return expectedRevision === 0 ? 'create' : 'update';
}
