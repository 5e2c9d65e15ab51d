import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import type { ResourceStatistics } from '../metrics/store-metrics.ts';
import type { ResourceCatalog } from './resource-catalog.ts';

interface StoredResources {
  /** Names of the resources that are stored, each once however many versions are served, e.g. `deployments.apps`. */
  names(): Iterable<string>;
  /** undefined: no stored resource. */
  statistics(resource: string): ResourceStatistics | undefined;
}

/** The statistics of all resources that are stored, from their caches. */
export function createStoredResources(
  catalog: Pick<ResourceCatalog, 'snapshot'>,
  cacheOf: (definition: ResourceDefinition) => WatchCache,
): StoredResources {
  let indexed: readonly ResourceDefinition[] | undefined;
  let byName = new Map<string, ResourceDefinition>();
  const present = () => {
    const { definitions } = catalog.snapshot;
    if (definitions !== indexed) {
      indexed = definitions;
      const stored = definitions.filter(({ storagePrefix, storageVersion }) => storagePrefix !== undefined && storageVersion === undefined);
      byName = new Map(stored.map((definition) => [groupResource(definition), definition]));
    }
    return byName;
  };
  return {
    names: () => present().keys(),
    statistics(resource) {
      const definition = present().get(resource);
      return definition && statisticsOf(cacheOf(definition));
    },
  };
}

function statisticsOf(cache: WatchCache): ResourceStatistics {
  const [count, bytes] = [cache.count(), cache.bytes()];
  return { count, bytes, averageBytes: count === 0 ? 0 : bytes / count, watchers: cache.watchers(), revision: cache.revision() };
}
