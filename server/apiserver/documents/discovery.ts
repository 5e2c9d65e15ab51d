import { createHash } from 'node:crypto';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { type MediaType, protobufMediaType, yamlMediaType } from '../../../api/serialization/media-types.ts';
import { negotiateOutput, type RequestedKind } from '../../../api/serialization/negotiate.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { checkAccept, objectTypes } from '../responses/route-media-types.ts';
import type { RequestContext } from '../request/request-context.ts';
import { apiGroup, apiGroupDiscovery, apiGroupList, apiResourceList, groupDefinitions, type ServedGroup } from './discovery-documents.ts';
import { methodNotAllowed, resourceNotServed } from '../../../api/meta/status-errors.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';
import { documentResponse, isNotModified } from '../responses/document-response.ts';

export interface DiscoveryDependencies {
  /** The definitions that are served at present; another array means that something has changed. */
  definitions(): readonly ResourceDefinition[];
  /** Group versions of other API servers; another array means that something has changed. */
  delegated(): readonly DelegatedVersion[];
  /** host:port under which clients reach the server, for /api. */
  readonly serverAddress: string;
}

/** Answers paths of discovery: /api, /apis and below. undefined: there is no such document. */
export type DiscoveryEndpoint = (context: RequestContext) => APIResponse | undefined;

const aggregatedParameters = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface AggregatedDocument {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

interface Documents {
  readonly definitions: readonly ResourceDefinition[];
  readonly delegated: readonly DelegatedVersion[];
  readonly groups: readonly ServedGroup[];
  readonly aggregated: Map<string, AggregatedDocument>;
}

export function createDiscovery({ definitions, delegated, serverAddress }: DiscoveryDependencies): DiscoveryEndpoint {
  let current: Documents | undefined;
  const documents = (): Documents => {
    const present = definitions();
    const others = delegated();
    if (current?.definitions !== present || current.delegated !== others)
      current = { definitions: present, delegated: others, groups: groupDefinitions(present, others), aggregated: new Map() };
    return current;
  };
  return (context) => {
    const parts = withoutTrailingSlashes(context.info.path).split('/').slice(1);
    if (parts.includes('')) return undefined;
    const [prefix, group, version] = parts;
    if (prefix === 'api') return discoverCore(context, documents(), parts, serverAddress);
    if (prefix !== 'apis' || parts.length > 3) return undefined;
    if (group === undefined) return discoverRoot(context, documents(), 'apis', () => apiGroupList(documents().groups));
    const served = documents().groups.find((candidate) => candidate.group === group && group !== '');
    if (!served) return undefined;
    if (version === undefined) {
      // Upstream's aggregator answers the exact path whatever the method; longer ones reach its router.
      if (context.info.path.endsWith('//')) checkRead(context);
      return plainDocument(context, apiGroup(served));
    }
    const isBuiltIn = served.versions.some(({ definitions }) => definitions.some(({ schema }) => schema === undefined));
    return isBuiltIn || served.versions.some((each) => each.version === version) ? resourceList(context, served, version) : undefined;
  };
}

/** Removes all trailing slashes, but only one after `/apis`. */
function withoutTrailingSlashes(path: string): string {
  const shorter = path.replace(/\/+$/, '');
  return shorter === '/apis' ? path.replace(/\/$/, '') : shorter;
}

function discoverCore(
  context: RequestContext,
  documents: Documents,
  [, version, ...rest]: readonly string[],
  serverAddress: string,
): APIResponse | undefined {
  const core = documents.groups.find(({ group }) => group === '');
  if (!core || rest.length > 0) return undefined;
  if (version === undefined) {
    checkRead(context);
    return discoverRoot(context, documents, 'api', () => ({
      kind: 'APIVersions',
      versions: core.versions.map((served) => served.version),
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }));
  }
  return resourceList(context, core, version);
}

/** A version of a served group has a route, others have none. Throws 404, 405, 406. */
function resourceList(context: RequestContext, { group, versions }: ServedGroup, version: string): APIResponse {
  const served = versions.find((candidate) => candidate.version === version);
  if (!served) throw resourceNotServed();
  checkRead(context);
  return plainDocument(context, apiResourceList(group, served));
}

/** Upstream's checks of a client that reads a document. Throws 405, 406. */
function checkRead(context: RequestContext): void {
  if (context.request.method !== 'GET') throw methodNotAllowed();
  checkAccept(context, objectTypes);
}

/** Answers /api and /apis: the legacy document, or all groups in one document for clients that ask for it (KEP-3352). */
function discoverRoot(context: RequestContext, documents: Documents, root: 'api' | 'apis', legacy: () => unknown): APIResponse {
  const output = negotiateOutput(context.request.headers['accept'], { allowsKind: isAggregated });
  if (!output.as) return documentResponse(context.request, legacy(), output);
  const { bytes, etag } = aggregatedDocument(documents, root, output.mediaType);
  const headers = { 'content-type': `${output.mediaType.name};${aggregatedParameters}`, etag, vary: 'Accept', 'cache-control': 'public' };
  if (isNotModified(context.request, etag)) return { status: 304, headers, body: { kind: 'none' } };
  return { status: 200, headers, body: { kind: 'bytes', bytes } };
}

/** v2beta1 is served no more. */
function isAggregated({ group, version, kind }: RequestedKind): boolean {
  return group === 'apidiscovery.k8s.io' && version === 'v2' && kind === 'APIGroupDiscoveryList';
}

function aggregatedDocument(documents: Documents, root: 'api' | 'apis', mediaType: MediaType): AggregatedDocument {
  const key = `${root} ${mediaType.name}`;
  const known = documents.aggregated.get(key);
  if (known) return known;
  const items = documents.groups.filter(({ group }) => (group === '') === (root === 'api')).map(apiGroupDiscovery);
  const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  const json = Buffer.from(`${JSON.stringify(list)}\n`);
  const bytes = mediaType === protobufMediaType ? encodeProtobuf(list) : mediaType === yamlMediaType ? Buffer.from(formatYAML(list)) : json;
  // Equal for all encodings, since the Vary header names Accept.
  const etag = `"${createHash('sha512').update(json).digest('hex').toUpperCase()}"`;
  const made = { bytes, etag };
  documents.aggregated.set(key, made);
  return made;
}

function plainDocument(context: RequestContext, document: unknown): APIResponse {
  return documentResponse(context.request, document, negotiateOutput(context.request.headers['accept']));
}
