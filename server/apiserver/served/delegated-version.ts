import type { APIResourceDiscovery } from '../../../api/types/apidiscovery-v2.ts';

/** A group version that another API server serves (an APIService with a Service), as discovery shows it. */
export interface DelegatedVersion {
  readonly group: string;
  readonly version: string;
  /** The APIService's groupPriorityMinimum. */
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Stale: the other server could not be asked. */
  readonly freshness: 'Current' | 'Stale';
  readonly resources: readonly APIResourceDiscovery[];
}
