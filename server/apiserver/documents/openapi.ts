import type { APIResponse } from '../../../api/client/transport.ts';
import { toDate } from '../../../api/meta/time.ts';
import { jsonMediaType, parseAccept, rangeIncludes } from '../../../api/serialization/media-types.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isNotModified } from '../responses/document-response.ts';
import { encodeOpenAPI } from '../../../api/serialization/openapi/encode-openapi.ts';

/** The source of the documents; read when first asked for. */
export interface OpenAPIDocuments {
  /** `v2`, and the OpenAPI v3 documents by their path (`api/v1`, `apis/apps/v1`, `version`), with the SHA-512 of their bytes. */
  list(): Promise<readonly { readonly name: string; readonly hash: string }[]>;
  /** JSON of a listed document. */
  read(name: string): Promise<Uint8Array>;
  /** Encodes a document in another thread, where it would hold the event loop. Absent: it is encoded in this one. */
  encode?(spec: SpecVersion, json: Uint8Array): Promise<Uint8Array>;
}

/** OpenAPI v3 documents of other API servers, which answer for them themselves. */
interface DelegatedOpenAPI {
  /** Paths below /openapi/v3/ and their URLs. */
  openAPIPaths(): ReadonlyMap<string, string>;
  openAPI(context: RequestContext, path: string): Promise<APIResponse>;
}

/** Answers /openapi/v2 and /openapi/v3; undefined: no such document. */
export type OpenAPIEndpoint = (context: RequestContext) => Promise<APIResponse | undefined>;

interface Document {
  readonly json: Uint8Array;
  /** Made when first asked for. */
  readonly protobuf: () => Promise<Uint8Array>;
  /** SHA-512 of the JSON in upper-case hexadecimal: the ETag of both forms, since the Vary header names Accept. */
  readonly hash: string;
}

const prefixV3 = '/openapi/v3';
const yearSeconds = 365 * 24 * 3600;

/** Both names of the type are answered with the one that is a valid media type. */
const protobufTypes = {
  v2: 'com.github.proto-openapi.spec.v2.v1.0+protobuf',
  v3: 'com.github.proto-openapi.spec.v3.v1.0+protobuf',
} as const;
type SpecVersion = keyof typeof protobufTypes;

export function createOpenAPI(documents: OpenAPIDocuments, delegated?: DelegatedOpenAPI): OpenAPIEndpoint {
  const loading = new Map<string, { readonly hash: string; readonly document: Promise<Document> }>();
  const load = (name: string, hash: string): Promise<Document> => {
    const known = loading.get(name);
    if (known?.hash === hash) return known.document;
    const loaded = { hash, document: documents.read(name).then((json) => createDocument(documents, name, hash, json)) };
    // A changed document replaces the previous one.
    loading.set(name, loaded);
    // A failed read is tried again by the next request.
    loaded.document.catch(() => loading.get(name) === loaded && loading.delete(name));
    return loaded.document;
  };
  const find = async (name: string): Promise<Document | undefined> => {
    const entry = (await documents.list()).find((candidate) => candidate.name === name);
    if (!entry) loading.delete(name);
    return entry && load(name, entry.hash);
  };
  return async (context) => {
    const { path } = context.info;
    if (path === '/openapi/v2') {
      const document = await find('v2');
      return document && documentIn(context, 'v2', document);
    }
    if (path === prefixV3) return indexResponse(documents, delegated);
    if (!path.startsWith(`${prefixV3}/`)) return undefined;
    const name = path.slice(prefixV3.length + 1);
    if (delegated?.openAPIPaths().has(name)) return delegated.openAPI(context, name);
    const document = name === 'v2' ? undefined : await find(name);
    return document ? hashed(context, path, document) : { status: 404, headers: {}, body: { kind: 'none' } };
  };
}

function createDocument({ encode }: OpenAPIDocuments, name: string, hash: string, json: Uint8Array): Document {
  let encoding: Promise<Uint8Array> | undefined;
  const spec = name === 'v2' ? 'v2' : 'v3';
  return {
    json,
    hash,
    protobuf() {
      encoding ??= encode ? encode(spec, json) : Promise.resolve(encodeOpenAPI(spec, json));
      encoding.catch(() => (encoding = undefined));
      return encoding;
    },
  };
}

/** Always JSON, though upstream announces it as plain text. */
async function indexResponse(documents: OpenAPIDocuments, delegated: DelegatedOpenAPI | undefined): Promise<APIResponse> {
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const { name, hash } of await documents.list()) {
    if (name !== 'v2') paths[name] = { serverRelativeURL: `${prefixV3}/${name}?hash=${hash}` };
  }
  for (const [path, serverRelativeURL] of delegated?.openAPIPaths() ?? []) paths[path] = { serverRelativeURL };
  const bytes = Buffer.from(JSON.stringify({ paths }));
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'accept-ranges': 'bytes' },
    body: { kind: 'bytes', bytes },
  };
}

/** The form that a client prefers; undefined: none of the two. */
function wanted({ request }: RequestContext, spec: SpecVersion): 'json' | 'protobuf' | undefined {
  const header = request.headers['accept'];
  if (header === undefined || header.trim() === '') return 'json';
  const subtypes: readonly string[] = [protobufTypes[spec], protobufTypes[spec].replace('.v1.0', '@v1.0')];
  for (const range of parseAccept(header)) {
    if (rangeIncludes(range, jsonMediaType)) return 'json';
    if (range.type === 'application' && subtypes.includes(range.subtype)) return 'protobuf';
  }
  return undefined;
}

/** A URL with the right hash may be cached for ever; one with an old hash redirects to the new one. */
async function hashed(context: RequestContext, path: string, document: Document): Promise<APIResponse> {
  const asked = context.query.get('hash');
  if (asked === null || asked === '') return documentIn(context, 'v3', document);
  if (asked !== document.hash) {
    const { status, headers } = await documentIn(context, 'v3', document);
    const location = `${path}?hash=${document.hash}`;
    return { status: status === 406 ? 406 : 301, headers: { ...headers, location }, body: { kind: 'none' } };
  }
  const expires = toDate(context.clock.nowMs() + yearSeconds * 1000).toUTCString();
  return documentIn(context, 'v3', document, { 'cache-control': 'public, immutable', expires });
}

async function documentIn(
  context: RequestContext,
  spec: SpecVersion,
  document: Document,
  more: Readonly<Record<string, string>> = {},
): Promise<APIResponse> {
  const form = wanted(context, spec);
  // Upstream sends this for v2 even without compression.
  const vary = spec === 'v2' ? 'Accept-Encoding, Accept' : 'Accept';
  if (form === undefined) return { status: 406, headers: { vary }, body: { kind: 'none' } };
  const etag = `"${document.hash}"`;
  const headers = { etag, vary, ...more };
  if (isNotModified(context.request, etag)) return { status: 304, headers, body: { kind: 'none' } };
  const contentType = form === 'json' ? jsonMediaType.name : `application/${protobufTypes[spec]}`;
  return {
    status: 200,
    headers: { 'content-type': contentType, 'accept-ranges': 'bytes', ...headers },
    body: { kind: 'bytes', bytes: form === 'json' ? document.json : await document.protobuf() },
  };
}
