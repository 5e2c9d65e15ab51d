import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import { findKindSchema } from '../../../api/schema/definition-schema.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import type { NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { wantsPretty } from './error-response.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';

const encoder = new TextEncoder();

/** A document of the server's own (discovery, version) in the negotiated format. */
export function documentResponse(request: APIRequest, document: unknown, { mediaType, pretty }: NegotiatedOutput): APIResponse {
  if (mediaType.name === 'application/yaml') {
    return {
      status: 200,
      headers: { 'content-type': 'application/yaml' },
      body: { kind: 'bytes', bytes: encoder.encode(formatYAML(document)) },
    };
  }
  if (mediaType === protobufMediaType) {
    const { kind, apiVersion = '' } = document as { kind: string; apiVersion?: string };
    const bytes = encodeProtobuf({ ...(document as object), kind, apiVersion }, findKindSchema('v1', kind));
    return { status: 200, headers: { 'content-type': mediaType.name }, body: { kind: 'bytes', bytes, object: () => document } };
  }
  const text = pretty || wantsPretty(request) ? JSON.stringify(document, undefined, 2) : `${JSON.stringify(document)}\n`;
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { kind: 'bytes', bytes: encoder.encode(text), object: () => document },
  };
}

/** Whether the client already has the document with that entity tag (RFC 9110 13.1.2). */
export function isNotModified(request: APIRequest, etag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  return header.split(',').some((candidate) => candidate.trim() === '*' || candidate.trim().replace(/^W\//, '') === etag);
}
