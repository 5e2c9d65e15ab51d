import { createHash } from 'node:crypto';
import { isJSONObject } from '../../../api/base/json-object.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { createWorkQueue } from '../../../api/client/work-queue.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import type { APIResourceDiscovery } from '../../../api/types/apidiscovery-v2.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';
import type { Delegations, RemoteAPIService } from './delegations.ts';
import { fetchDocument, type FetchedDocument } from './fetch-document.ts';
import { readSwagger, type SwaggerPart } from './merge-openapi.ts';
import type { ProxyDependencies } from './proxy.ts';
import { readAggregatedDiscovery, readResourceList } from './read-discovery.ts';

/** Discovery and OpenAPI documents of the aggregated API servers. */
interface RemoteDocuments {
  /** Another array means that something has changed. */
  versions(): readonly DelegatedVersion[];
  /** OpenAPI v2; another array means that something has changed. */
  swagger(): readonly SwaggerPart[];
  /** Paths below /openapi/v3/ of aggregated group versions, with their URLs. */
  openAPIPaths(): ReadonlyMap<string, string>;
  /** Asks again every minute, and with each change of an APIService. Ends with the signal. */
  run(signal: AbortSignal): Promise<void>;
}

interface RemoteDocumentsDependencies extends ProxyDependencies {
  readonly delegations: Delegations;
  readonly informers: InformerFactory;
  readonly logger: Logger;
}

interface KnownDocuments {
  readonly resources?: readonly APIResourceDiscovery[];
  readonly swagger?: { readonly tag: string; readonly part: SwaggerPart };
  readonly openAPIURL?: string;
}

const workers = 2;
const refreshMs = 60_000;
const retryBackoff = { baseDelayMs: 1000, maxDelayMs: refreshMs };
const timeoutMs = 5000;
const openAPITimeoutMs = 60_000;
/** Each is parsed in one piece, for which the event loop is held some milliseconds. */
const maxBytes = 2 * 1024 * 1024;
const discoverer = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const openAPIReader = { name: 'system:aggregator', groups: [] };
const decoder = new TextDecoder();
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function createRemoteDocuments(dependencies: RemoteDocumentsDependencies): RemoteDocuments {
  const { delegations, informers, clock, logger } = dependencies;
  const known = new Map<string, KnownDocuments>();
  let list = delegations.list();
  let published = publish(list, known);
  const refresh = () => {
    const now = delegations.list();
    if (now === list) return;
    list = now;
    published = keepUnchanged(publish(list, known), published);
  };
  const learn = (name: string, documents: KnownDocuments) => {
    known.set(name, documents);
    published = keepUnchanged(publish(list, known), published);
  };
  const sync = async (name: string, signal: AbortSignal): Promise<boolean> => {
    const service = delegations.list().find(({ metadata }) => metadata.name === name);
    if (!service || !isAvailable(service)) {
      known.delete(name);
      refresh();
      published = keepUnchanged(publish(list, known), published);
      return true;
    }
    const before = known.get(name) ?? {};
    const ask = createAsk(service, dependencies, signal);
    const results = await Promise.allSettled([askDiscovery(service, ask), askSwagger(service, ask, before), askOpenAPI(service, ask)]);
    if (signal.aborted) return true;
    const [resources, swagger, openAPIURL] = results;
    const found = <T>(result: PromiseSettledResult<T | undefined>, otherwise: T | undefined) =>
      result.status === 'fulfilled' ? result.value : otherwise;
    const [part, url] = [found(swagger, before.swagger), found(openAPIURL, before.openAPIURL)];
    learn(name, {
      ...(resources.status === 'fulfilled' ? { resources: resources.value } : {}),
      ...(part ? { swagger: part } : {}),
      ...(url === undefined ? {} : { openAPIURL: url }),
    });
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (failures.length > 0) logger.warn('documents of an aggregated API server could not be read', { name, error: failures[0] });
    return failures.length === 0;
  };
  return {
    versions: () => (refresh(), published.versions),
    swagger: () => (refresh(), published.swagger),
    openAPIPaths: () => (refresh(), published.openAPIPaths),
    async run(signal) {
      const queue = createWorkQueue({ clock, ...retryBackoff });
      const add = ({ metadata }: { readonly metadata: { readonly name?: string } }) => queue.add(metadata.name ?? '');
      const stop = informers.informer(apiServices).addHandler({ onAdd: add, onUpdate: add, onDelete: add });
      const work = async () => {
        for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
          const isDone = await sync(name, signal).catch(() => false);
          if (isDone) queue.forget(name);
          const isThere = delegations.list().some(({ metadata }) => metadata.name === name);
          if (!isDone) queue.addRateLimited(name);
          else if (isThere) queue.addAfter(name, refreshMs);
          queue.done(name);
        }
      };
      signal.addEventListener('abort', () => queue.shutDown(), { once: true });
      await Promise.all(Array.from({ length: workers }, work));
      stop();
    },
  };
}

interface Published {
  readonly versions: readonly DelegatedVersion[];
  readonly swagger: readonly SwaggerPart[];
  readonly openAPIPaths: ReadonlyMap<string, string>;
}

function isAvailable({ status }: RemoteAPIService): boolean {
  return isConditionTrue(status?.conditions, 'Available');
}

function publish(list: readonly RemoteAPIService[], known: ReadonlyMap<string, KnownDocuments>): Published {
  const openAPIPaths = new Map<string, string>();
  const swagger: SwaggerPart[] = [];
  const versions = list.map((service): DelegatedVersion => {
    const { group = '', version = '', groupPriorityMinimum, versionPriority } = service.spec;
    const documents = (isAvailable(service) ? known.get(service.metadata.name ?? '') : undefined) ?? {};
    if (documents.openAPIURL !== undefined) openAPIPaths.set(`apis/${group}/${version}`, documents.openAPIURL);
    if (documents.swagger) swagger.push(documents.swagger.part);
    return {
      ...{ group, version, groupPriority: groupPriorityMinimum, versionPriority },
      freshness: documents.resources ? 'Current' : 'Stale',
      resources: documents.resources ?? [],
    };
  });
  return { versions, swagger, openAPIPaths };
}

/** Documents are made anew where the arrays are others: what says the same has to stay the same. */
function keepUnchanged(now: Published, before: Published): Published {
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return {
    versions: isSame(now.versions, before.versions) ? before.versions : now.versions,
    swagger:
      now.swagger.length === before.swagger.length && now.swagger.every((part, index) => part === before.swagger[index])
        ? before.swagger
        : now.swagger,
    openAPIPaths: now.openAPIPaths,
  };
}

type Ask = (
  path: string,
  options: { readonly accept: string; readonly etag?: string; readonly isOpenAPI?: boolean; readonly user?: typeof discoverer },
) => Promise<FetchedDocument>;

function createAsk(service: RemoteAPIService, dependencies: RemoteDocumentsDependencies, signal: AbortSignal): Ask {
  return (path, { accept, etag, isOpenAPI = false, user = isOpenAPI ? openAPIReader : discoverer }) =>
    fetchDocument(
      service,
      path,
      { user, accept, etag, timeoutMs: isOpenAPI ? openAPITimeoutMs : timeoutMs, maxBytes, signal },
      dependencies,
    );
}

/** The aggregated form where the server has it, else the old one of the group version. */
async function askDiscovery({ spec }: RemoteAPIService, ask: Ask): Promise<readonly APIResourceDiscovery[]> {
  const { group = '', version = '' } = spec;
  const all = await ask('/apis', { accept: aggregatedType });
  if (all.status === 503) throw new Error(`the discovery of ${group}/${version} was answered with 503`);
  if (all.status === 200 && isAggregated(all.headers['content-type']))
    return readAggregatedDiscovery(decoder.decode(all.bytes), group, version) ?? [];
  const one = await ask(`/apis/${group}/${version}`, { accept: 'application/json' });
  if (one.status !== 200) throw new Error(`the discovery of ${group}/${version} was answered with ${one.status}`);
  return readResourceList(decoder.decode(one.bytes), group, version);
}

function isAggregated(contentType = ''): boolean {
  return ['g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'].every((part) => contentType.split(/\s*;\s*/).includes(part));
}

/** undefined: the server has no such document. */
async function askSwagger({ spec }: RemoteAPIService, ask: Ask, before: KnownDocuments): Promise<KnownDocuments['swagger']> {
  const document = await ask('/openapi/v2', { accept: 'application/json', isOpenAPI: true });
  if (document.status === 404) return undefined;
  if (document.status !== 200) throw new Error(`/openapi/v2 was answered with ${document.status}`);
  const tag = createHash('sha256').update(document.bytes).digest('hex');
  if (before.swagger?.tag === tag) return before.swagger;
  return { tag, part: readSwagger(decoder.decode(document.bytes), spec.group ?? '', spec.version ?? '') };
}

/** The URL of the group version in the server's index; undefined: it is not there. */
async function askOpenAPI({ spec }: RemoteAPIService, ask: Ask): Promise<string | undefined> {
  const index = await ask('/openapi/v3', { accept: 'application/json', isOpenAPI: true });
  if (index.status === 404) return undefined;
  if (index.status !== 200) throw new Error(`/openapi/v3 was answered with ${index.status}`);
  const parsed: unknown = JSON.parse(decoder.decode(index.bytes));
  const path = `apis/${spec.group}/${spec.version}`;
  const entry =
    isJSONObject(parsed) && isJSONObject(parsed['paths']) && Object.hasOwn(parsed['paths'], path) ? parsed['paths'][path] : undefined;
  const url = isJSONObject(entry) ? entry['serverRelativeURL'] : undefined;
  // A client follows it: it has to stay below this path.
  return typeof url === 'string' && url.startsWith(`/openapi/v3/${path}`) ? url : undefined;
}
