import { createHash } from 'node:crypto';
import type { APIResponse } from '../../../api/client/transport.ts';
import { notAcceptable } from '../../../api/meta/status-errors.ts';
import { jsonMediaType, parseAccept, rangeIncludes } from '../../../api/serialization/media-types.ts';
import type { RequestContext } from '../request-context.ts';
import { isNotModified } from './document-response.ts';
import { encodeOpenAPIV2 } from './openapi-v2-protobuf.ts';

/** Where the documents come from; read when first asked for. */
export interface OpenAPIDocuments {
  /** `v2`, and the OpenAPI v3 documents by their path (`api/v1`, `apis/apps/v1`, `version`), with the SHA-512 of their bytes. */
  list(): Promise<readonly { readonly name: string; readonly hash: string }[]>;
  /** JSON of a listed document. */
  read(name: string): Promise<Uint8Array>;
}

/** Answers /openapi/v2 and /openapi/v3; undefined: no such document. */
export type OpenAPIEndpoint = (context: RequestContext) => Promise<APIResponse | undefined>;

interface Document {
  readonly bytes: Uint8Array;
  /** SHA-512, upper-case hexadecimal. */
  readonly hash: string;
}

const prefixV3 = '/openapi/v3';
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufSubtypes = new Set(['com.github.proto-openapi.spec.v2.v1.0+protobuf', 'com.github.proto-openapi.spec.v2@v1.0+protobuf']);
const yearSeconds = 365 * 24 * 3600;

export function createOpenAPI(documents: OpenAPIDocuments): OpenAPIEndpoint {
  const loading = new Map<string, Promise<Document>>();
  const load = (name: string, hash: string): Promise<Document> => {
    const known = loading.get(name) ?? documents.read(name).then((bytes) => ({ bytes, hash }));
    loading.set(name, known);
    // A failed read is tried again by the next request.
    known.catch(() => loading.delete(name));
    return known;
  };
  const find = async (name: string): Promise<Document | undefined> => {
    const entry = (await documents.list()).find((candidate) => candidate.name === name);
    return entry && load(name, entry.hash);
  };
  let encoded: { readonly of: Document; readonly document: Document } | undefined;
  return async (context) => {
    const { path } = context.info;
    if (path === '/openapi/v2') {
      const isProtobuf = wantsProtobuf(context);
      const document = await find('v2');
      if (!document || !isProtobuf) return document && tagged(context, document);
      if (encoded?.of !== document) encoded = { of: document, document: encode(document) };
      return tagged(context, encoded.document, { 'content-type': protobufType });
    }
    if (path !== prefixV3 && !path.startsWith(`${prefixV3}/`)) return undefined;
    acceptJSON(context);
    const name = path.slice(prefixV3.length + 1);
    if (name === '') return tagged(context, await makeIndex(documents));
    const document = name === 'v2' ? undefined : await find(name);
    return document && hashed(context, path, document);
  };
}

async function makeIndex(documents: OpenAPIDocuments): Promise<Document> {
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const { name, hash } of await documents.list()) {
    if (name !== 'v2') paths[name] = { serverRelativeURL: `${prefixV3}/${name}?hash=${hash}` };
  }
  const bytes = Buffer.from(JSON.stringify({ paths }));
  return { bytes, hash: hashOf(bytes) };
}

function encode(document: Document): Document {
  const bytes = encodeOpenAPIV2(document.bytes);
  return { bytes, hash: hashOf(bytes) };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase();
}

/** Whether a client likes protobuf better than JSON. Both names of the type are answered with the one that is a valid media type. */
function wantsProtobuf({ request }: RequestContext): boolean {
  const header = request.headers['accept'];
  if (header === undefined || header.trim() === '') return false;
  for (const range of parseAccept(header)) {
    if (rangeIncludes(range, jsonMediaType)) return false;
    if (range.type === 'application' && protobufSubtypes.has(range.subtype)) return true;
  }
  throw notAcceptable([jsonMediaType.name, protobufType]);
}

/** Only JSON can be made; a client that takes nothing else hears so. */
function acceptJSON(context: RequestContext): void {
  const header = context.request.headers['accept'];
  if (header === undefined || header.trim() === '') return;
  if (!parseAccept(header).some((range) => rangeIncludes(range, jsonMediaType))) throw notAcceptable([jsonMediaType.name]);
}

/** A URL with the right hash may be kept for ever; one with an old hash leads to the new one. */
function hashed(context: RequestContext, path: string, document: Document): APIResponse {
  const asked = context.query.get('hash');
  if (asked === null || asked === '') return tagged(context, document);
  if (asked !== document.hash) {
    return { status: 301, headers: { location: `${path}?hash=${document.hash}` }, body: { kind: 'none' } };
  }
  return tagged(context, document, { 'cache-control': `public, immutable, max-age=${yearSeconds}` });
}

function tagged(context: RequestContext, document: Document, more: Readonly<Record<string, string>> = {}): APIResponse {
  const etag = `"${document.hash}"`;
  const headers = { etag, vary: 'Accept', 'accept-ranges': 'bytes', ...more };
  if (isNotModified(context.request, etag)) return { status: 304, headers, body: { kind: 'none' } };
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: { kind: 'bytes', bytes: document.bytes } };
}
