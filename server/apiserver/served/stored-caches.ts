import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import type { ResourceStatistics } from '../metrics/store-metrics.ts';

/** The caches of all resources that are stored, each once however many versions are served, e.g. by `deployments.apps`. */
export function storedCaches(
  definitions: readonly ResourceDefinition[],
  cacheOf: (definition: ResourceDefinition) => WatchCache,
): Map<string, WatchCache> {
  const stored = definitions.filter(({ storagePrefix, storageVersion }) => storagePrefix !== undefined && storageVersion === undefined);
  return new Map(stored.map((definition) => [groupResource(definition), cacheOf(definition)]));
}

export function statisticsOf(cache: WatchCache | undefined): ResourceStatistics | undefined {
  if (cache === undefined) return undefined;
  const [count, bytes] = [cache.count(), cache.bytes()];
  return { count, bytes, averageBytes: count === 0 ? 0 : bytes / count, watchers: cache.watchers(), revision: cache.revision() };
}
