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
import { readSwagger, type SwaggerPart } from '../documents/merge-openapi.ts';
import type { ProxyDependencies } from './proxy.ts';
import { readAggregatedDiscovery, readResourceList } from './read-discovery.ts';

/** Discovery and OpenAPI documents of the aggregated API servers. */
export interface RemoteDocuments {
  /** Another array means that something has changed. */
  versions(): readonly DelegatedVersion[];
  /** OpenAPI v2; another array means that something has changed. */
  swagger(): readonly SwaggerPart[];
  /** Paths below /openapi/v3/ of aggregated group versions, with their URLs. */
  openAPIPaths(): ReadonlyMap<string, string>;
  /**
   * Asks for one part of them, again every minute and with each change of an APIService. Ends with the signal.
   * @param onFirstPass called when every server that was available at the beginning was asked
   */
  run(part: DocumentPart, signal: AbortSignal, onFirstPass: () => void): Promise<void>;
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

/** The number of servers that are read at the same time; slow ones delay the others beyond that. */
const workers = 16;
const refreshMs = 60_000;
const retryBackoff = { baseDelayMs: 1000, maxDelayMs: refreshMs };
const timeoutMs = 5000;
const openAPITimeoutMs = 30_000;
/** The largest document: each is parsed in one piece, which holds the event loop for some milliseconds. */
const maxBytes = 2 * 1024 * 1024;
const discoverer = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const openAPIReader = { name: 'system:aggregator', groups: [] };
const decoder = new TextDecoder();
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function createRemoteDocuments(dependencies: RemoteDocumentsDependencies): RemoteDocuments {
  const { delegations, logger } = dependencies;
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
  const forget = (name: string) => {
    known.delete(name);
    list = delegations.list();
    published = keepUnchanged(publish(list, known), published);
  };
  /** Whether all that was asked for has been read. */
  const sync = async (part: DocumentPart, name: string, signal: AbortSignal): Promise<boolean> => {
    const service = findAvailable(delegations, name);
    if (!service) {
      forget(name);
      return true;
    }
    const ask = createAsk(service, dependencies, signal);
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    if (part === 'discovery') {
      const resources = await askDiscovery(service, ask).catch(note);
      const { resources: before, ...others } = known.get(name) ?? {};
      const kept = resources ? { resources: sameResources(resources, before) } : {};
      if (findAvailable(delegations, name)) learn(name, { ...others, ...kept });
    } else if (part === 'openapi-v2') {
      const swagger = await askSwagger(service, ask, known.get(name) ?? {}).catch(
        (error: unknown) => (note(error), known.get(name)?.swagger),
      );
      const { swagger: _before, ...others } = known.get(name) ?? {};
      if (findAvailable(delegations, name)) learn(name, { ...others, ...(swagger ? { swagger } : {}) });
    } else {
      const openAPIURL = await askOpenAPI(service, ask).catch((error: unknown) => (note(error), known.get(name)?.openAPIURL));
      const { openAPIURL: _before, ...others } = known.get(name) ?? {};
      if (findAvailable(delegations, name)) learn(name, { ...others, ...(openAPIURL === undefined ? {} : { openAPIURL }) });
    }
    if (failures.length === 0 || signal.aborted) return true;
    logger.warn('documents of an aggregated API server could not be read', { name, part, error: failures[0] });
    return false;
  };
  return {
    versions: () => (refresh(), published.versions),
    swagger: () => (refresh(), published.swagger),
    openAPIPaths: () => (refresh(), published.openAPIPaths),
    async run(part, signal, onFirstPass) {
      const asked = createFirstPass(delegations, onFirstPass);
      const ask = async (name: string) => sync(part, name, signal).finally(() => asked(name));
      await keepAsking(part, dependencies, ask, signal);
    },
  };
}

/** Each is asked for on its own: an OpenAPI document may be large and slow. */
type DocumentPart = 'discovery' | 'openapi-v2' | 'openapi-v3';

/** Tells when each of the servers that are available now has been asked once; returns the function that notes one. */
function createFirstPass(delegations: Delegations, onFirstPass: () => void): (name: string) => void {
  const waiting = new Set(delegations.list().flatMap((service) => (isAvailable(service) ? [service.metadata.name ?? ''] : [])));
  if (waiting.size === 0) onFirstPass();
  return (name) => {
    if (waiting.delete(name) && waiting.size === 0) onFirstPass();
  };
}

function findAvailable(delegations: Delegations, name: string): RemoteAPIService | undefined {
  return delegations.list().find((service) => service.metadata.name === name && isAvailable(service));
}

async function keepAsking(
  part: DocumentPart,
  { informers, clock, logger, delegations }: RemoteDocumentsDependencies,
  sync: (name: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const queue = createWorkQueue({ clock, ...retryBackoff });
  const add = ({ metadata }: { readonly metadata: { readonly name?: string } }) => queue.add(metadata.name ?? '');
  const stop = informers.informer(apiServices).addHandler({ onAdd: add, onUpdate: add, onDelete: add });
  const work = async () => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      let isDone = false;
      try {
        isDone = await sync(name);
      } catch (error) {
        logger.error('documents of an aggregated API server could not be kept', { name, part, error });
      }
      if (!isDone) queue.addRateLimited(name);
      else {
        queue.forget(name);
        if (findAvailable(delegations, name)) queue.addAfter(name, refreshMs);
      }
      queue.done(name);
    }
  };
  signal.addEventListener('abort', () => queue.shutDown(), { once: true });
  await Promise.all(Array.from({ length: workers }, work));
  stop();
}

const noResources: readonly APIResourceDiscovery[] = [];

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
      resources: documents.resources ?? noResources,
    };
  });
  return { versions, swagger, openAPIPaths };
}

/** Documents are made again when the arrays are other objects, so equal contents keep their arrays. */
function keepUnchanged(now: Published, before: Published): Published {
  return {
    versions: isSameList(now.versions, before.versions, isSameVersion) ? before.versions : now.versions,
    swagger: isSameList(now.swagger, before.swagger, Object.is) ? before.swagger : now.swagger,
    openAPIPaths: now.openAPIPaths,
  };
}

function isSameList<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T | undefined) => boolean): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
}

function isSameVersion(a: DelegatedVersion, b: DelegatedVersion | undefined): boolean {
  return b !== undefined && Object.keys(a).every((key) => a[key as keyof DelegatedVersion] === b[key as keyof DelegatedVersion]);
}

/** The known array, if the new one is equal. */
function sameResources(now: readonly APIResourceDiscovery[], before: KnownDocuments['resources']): readonly APIResourceDiscovery[] {
  return before && JSON.stringify(now) === JSON.stringify(before) ? before : now;
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

/** Reads the aggregated discovery if the server has it, else the older document of the group version. */
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
