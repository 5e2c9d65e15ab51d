import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import type { RunStartHook, StartHookName } from '../documents/start-hooks.ts';
import type { ResourceStatistics } from '../metrics/store-metrics.ts';
import type { Handler, RequestInfo } from '../request/request-context.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';
import type { GroupServer } from './group-server.ts';
import { notFoundPage } from './non-resource.ts';

/** The group servers of an API server, as one. */
export interface ServedGroups {
  /**
   * Adds a server while the API server is built. A server that is added later is asked earlier: the first one serves all
   * requests that no other serves.
   */
  add(server: GroupServer): void;
  readonly handle: Handler;
  /** Whether a request is passed on to another API server. */
  isDelegated(info: RequestInfo): boolean;
  /** Another array means that something has changed. */
  definitions(): readonly ResourceDefinition[];
  find(info: Pick<RequestInfo, 'apiGroup' | 'apiVersion' | 'resource'>): ResourceDefinition | undefined;
  /** Another array means that something has changed. */
  delegated(): readonly DelegatedVersion[];
  statistics(resource: string): ResourceStatistics | undefined;
  /** The statistics of all stored resources by their names. */
  allStatistics(): Iterable<readonly [string, ResourceStatistics]>;
  withOpenAPI(documents: OpenAPIDocuments): OpenAPIDocuments;
  startHooks(): readonly StartHookName[];
  start(signal: AbortSignal, runHook: RunStartHook): Promise<void>;
  run(signal: AbortSignal, runHook: RunStartHook): Promise<void>;
}

export function createServedGroups(): ServedGroups {
  const servers: GroupServer[] = [];
  const definitions = joined<ResourceDefinition>(() => servers.map((server) => server.definitions()));
  const delegated = joined<DelegatedVersion>(() => servers.map((server) => server.delegated?.() ?? []));
  const serverOf = (info: RequestInfo, isDelegated: boolean) =>
    servers.findLast((server) => (server.delegated !== undefined) === isDelegated && server.serves(info));
  return {
    add: (server) => void servers.push(server),
    async handle(context) {
      const server = serverOf(context.info, context.isDelegated);
      return server ? server.handle(context) : notFoundPage();
    },
    isDelegated: (info) => serverOf(info, true) !== undefined,
    definitions,
    find: createFindDefinition(definitions),
    delegated,
    statistics: (resource) => findFirst(servers, (server) => server.statistics?.(resource)),
    *allStatistics() {
      for (const server of servers)
        for (const resource of server.stored?.() ?? []) {
          const statistics = server.statistics?.(resource);
          if (statistics) yield [resource, statistics];
        }
    },
    withOpenAPI: (documents) => servers.reduce((all, server) => server.withOpenAPI?.(all) ?? all, documents),
    startHooks: () => servers.flatMap(({ startHooks = [] }) => startHooks),
    async start(signal, runHook) {
      for (const server of servers) await server.start?.(signal, runHook);
    },
    async run(signal, runHook) {
      await Promise.all(servers.map((server) => server.run?.(signal, runHook)));
    },
  };
}

function findFirst<T, R>(all: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The elements of all lists; the same array as long as the lists are the same. */
function joined<T>(lists: () => readonly (readonly T[])[]): () => readonly T[] {
  let parts: readonly (readonly T[])[] = [];
  let all: readonly T[] = [];
  return () => {
    const present = lists().filter(({ length }) => length > 0);
    if (present.length !== parts.length || present.some((part, index) => part !== parts[index])) {
      parts = present;
      all = present.length === 1 ? (present[0] ?? []) : present.flat();
    }
    return all;
  };
}

/** The definition of a request's resource; asked for every request, so the definitions are indexed. */
function createFindDefinition(definitions: () => readonly ResourceDefinition[]): ServedGroups['find'] {
  let indexed: readonly ResourceDefinition[] = [];
  let byName = new Map<string, ResourceDefinition>();
  return ({ apiGroup, apiVersion, resource }) => {
    const present = definitions();
    if (present !== indexed) {
      indexed = present;
      byName = new Map(present.map((definition) => [`${definition.group}/${definition.version}/${definition.names.plural}`, definition]));
    }
    return byName.get(`${apiGroup}/${apiVersion}/${resource}`);
  };
}
