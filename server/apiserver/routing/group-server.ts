import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import type { RunStartHook, StartHookName } from '../documents/start-hooks.ts';
import type { ResourceStatistics } from '../metrics/store-metrics.ts';
import type { Handler, RequestInfo } from '../request/request-context.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';

/** One way in which groups of the API are served: from the store, by measuring, or by another API server. */
export interface GroupServer {
  /** Whether a request is answered by this server. */
  serves(info: RequestInfo): boolean;
  readonly handle: Handler;
  /** The kinds that the server itself serves. Another array means that something has changed. */
  definitions(): readonly ResourceDefinition[];
  /** The group versions that it passes on to other API servers; another array means a change. Absent: it passes nothing on. */
  delegated?(): readonly DelegatedVersion[];
  /** Names of stored resources, e.g. `deployments.apps`. Absent: none. */
  stored?(): Iterable<string>;
  /** undefined: no stored resource. */
  statistics?(resource: string): ResourceStatistics | undefined;
  /** The documents with those of its kinds. Absent: they are there already. */
  withOpenAPI?(documents: OpenAPIDocuments): OpenAPIDocuments;
  /** The hooks that `start` and `run` run. Absent: none. */
  readonly startHooks?: readonly StartHookName[];
  /** Called when the informers have synced, before requests are served. */
  start?(signal: AbortSignal, runHook: RunStartHook): Promise<void>;
  /** The background work, from the first request that is served; ends with the signal. */
  run?(signal: AbortSignal, runHook: RunStartHook): Promise<void>;
}
