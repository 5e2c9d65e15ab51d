import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Storage } from '../../storage/storage.ts';
import type { CacheSource } from '../../storage/watch-cache/cache-source.ts';
import type { WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';
import type { LargeWork } from './large-objects/large-work.ts';
import type { RegistryHooks } from './hooks.ts';
import type { Admission } from '../admission/admission.ts';
import type { ConvertObjects } from '../webhooks/convert-objects.ts';

export interface RegistryDependencies {
  readonly storage: Storage;
  readonly caches: CacheSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly admission: Admission;
  /** The kinds that are served: storageVersion is looked up here. */
  readonly catalog: Pick<ResourceCatalog, 'snapshot'>;
  /** Works on large objects elsewhere than in this thread. Absent: they are worked on here. */
  readonly largeWork?: LargeWork;
  /** The cache of Namespaces, into which objects are only written as long as they are active. Absent: into any. */
  readonly namespaces?: () => WatchCache | undefined;
  /** Converts custom objects by webhooks. Absent: kinds with a conversion webhook cannot be read in other versions. */
  readonly convertObjects?: ConvertObjects;
  hooksFor(definition: ResourceDefinition): RegistryHooks | undefined;
}

/** How long a consistent read waits for the cache to follow the store. */
export const readTimeoutMs = 3000;
