import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, wrongMetadataKind } from '../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { type IncludeObject, partialObjectMetadata, type TableOptions, toTable } from '../../../api/resource/table.ts';
import { stringifyJSON } from '../../../api/serialization/json.ts';
import { isMetaKind, negotiateOutput, type NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { formatFieldError, invalid } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import { wantsPretty } from './error-response.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

const encoder = new TextEncoder();

/** How get, list, watch and writes of a resource may answer. Throws 406. */
export function negotiateObject(
  context: RequestContext,
  { mediaTypes }: Pick<ResourceDefinition, 'mediaTypes'>,
  { allowsKind = isMetaKind, isWatch = false }: { readonly allowsKind?: typeof isMetaKind; readonly isWatch?: boolean } = {},
): NegotiatedOutput {
  const choice = { allowsKind, isWatch };
  return negotiateOutput(context.request.headers['accept'], mediaTypes ? { ...choice, supported: mediaTypes } : choice);
}

/** Throws 406, with Go's name of the type, if the metadata of one object is requested for a list, or that of a list for an object. */
export function checkMetadataKind({ as }: NegotiatedOutput, { group, names }: ResourceDefinition, isList: boolean): void {
  if (as?.kind !== (isList ? 'PartialObjectMetadata' : 'PartialObjectMetadataList')) return;
  const goPackage = group === '' || group === 'events.k8s.io' ? 'core' : (group.split('.')[0] ?? '');
  throw wrongMetadataKind(as.kind, `*${goPackage}.${isList ? names.listKind : names.kind}`);
}

/** Throws 400 for an invalid value. */
export function includeObjectOf(context: RequestContext): IncludeObject {
  const value = context.query.get('includeObject') || 'Metadata';
  if (value === 'None' || value === 'Object' || value === 'Metadata') return value;
  const problem = invalid(FieldPath.root.child('includeObject'), value, "must be 'Metadata', 'Object', 'None', or empty");
  throw badRequest(`Unable to convert to Table as requested: ${formatFieldError(problem)}`);
}

export function tableOptions(context: RequestContext, { as }: NegotiatedOutput): TableOptions {
  return { includeObject: includeObjectOf(context), nowMs: context.clock.nowMs(), metaVersion: as?.version ?? 'v1' };
}

export function isProtobuf({ mediaType }: NegotiatedOutput): boolean {
  return mediaType.name === 'application/vnd.kubernetes.protobuf';
}

/** The PartialObjectMetadata of an object in protobuf; made once and shared. */
export function encodeMetadata(store: Store, object: CachedObject, metaVersion = 'v1'): Uint8Array {
  return object.encoded(`protobuf-metadata:${metaVersion}`, () => encodeProtobuf(partialObjectMetadata(store.read(object), metaVersion)));
}

/** Bytes of a value that are there already, or are made once and shared. */
interface Encodings {
  json?(): Uint8Array;
  protobuf?(): Uint8Array;
}

/** A value as the client wants to see it written. */
export function valueResponse(
  context: RequestContext,
  output: NegotiatedOutput,
  value: () => unknown,
  { json, protobuf }: Encodings = {},
  status = 200,
): APIResponse {
  const headers = { 'content-type': output.mediaType.name };
  const parsed = () => value();
  if (output.mediaType.name === 'application/yaml')
    return { status, headers, body: { kind: 'bytes', bytes: encoder.encode(formatYAML(parsed())), object: parsed } };
  if (isProtobuf(output)) {
    const bytes = protobuf ? protobuf() : encodeProtobuf(parsed() as { apiVersion: string; kind: string });
    return { status, headers, body: { kind: 'bytes', bytes, object: parsed } };
  }
  if (output.pretty || wantsPretty(context.request)) {
    return {
      status,
      headers,
      body: { kind: 'bytes', bytes: encoder.encode(formatJSON(parsed(), 2)), object: parsed },
    };
  }
  return { status, headers, body: jsonLine(json ? json() : stringifyJSON(parsed()), parsed) };
}

/** Objects up to this size are copied. Slow readers share the bytes of larger ones. */
const copiedBytes = 64 * 1024;
const newline = Uint8Array.of(0x0a);

/** Compact JSON ends with a newline, as upstream's encoder writes it; indented JSON does not. */
function jsonLine(json: Uint8Array, object: () => unknown): APIResponse['body'] {
  if (json.length <= copiedBytes) return { kind: 'bytes', bytes: Buffer.concat([json, newline]), object };
  return { kind: 'bytes', bytes: json, end: newline, object };
}

/** Answers with one object, as itself, as Table or as PartialObjectMetadata. */
export function objectResponse(
  context: RequestContext,
  definition: ResourceDefinition,
  object: Encodings & { read(): DeepReadonly<UntypedObject> },
  status = 200,
): APIResponse {
  const output = negotiateObject(context, definition);
  checkMetadataKind(output, definition, false);
  if (output.as?.kind === 'Table') {
    const { resourceVersion } = object.read().metadata;
    const options = tableOptions(context, output);
    return valueResponse(
      context,
      output,
      () => toTable(definition, [object.read()], resourceVersion === undefined ? {} : { resourceVersion }, options),
      undefined,
      status,
    );
  }
  if (output.as) return valueResponse(context, output, () => partialObjectMetadata(object.read(), output.as?.version), undefined, status);
  return valueResponse(context, output, () => object.read(), object, status);
}

/** Any object that is not of a resource: Status, Scale, reviews. Throws 406: reviews have no Table. */
export function plainObjectResponse(context: RequestContext, object: object, status = 200): APIResponse {
  const kind = 'kind' in object ? object.kind : undefined;
  const isReview = kind !== 'Status' && kind !== 'Scale';
  const output = negotiateOutput(context.request.headers['accept'], {
    allowsKind: (wanted, mediaType) => isMetaKind(wanted, mediaType) && !(isReview && wanted.kind === 'Table'),
  });
  return valueResponse(context, output, () => object, undefined, status);
}

/** Answers with an object that is not stored, as itself, as its metadata or as Table. */
export function plainItemResponse(context: RequestContext, definition: ResourceDefinition, item: UntypedObject): APIResponse {
  const output = negotiateObject(context, definition);
  checkMetadataKind(output, definition, false);
  if (output.as?.kind === 'Table') {
    const options = tableOptions(context, output);
    return valueResponse(context, output, () => toTable(definition, [item], {}, options));
  }
  if (output.as) {
    const { version } = output.as;
    return valueResponse(context, output, () => partialObjectMetadata(item, version));
  }
  return valueResponse(context, output, () => ({ kind: definition.names.kind, apiVersion: apiVersionOf(definition), ...item }));
}

/** A list of objects of which no store knows. */
export function plainListResponse(context: RequestContext, definition: ResourceDefinition, items: readonly UntypedObject[]): APIResponse {
  const output = negotiateObject(context, definition);
  checkMetadataKind(output, definition, true);
  if (output.as?.kind === 'Table') {
    const options = tableOptions(context, output);
    return valueResponse(context, output, () => toTable(definition, items, {}, options));
  }
  if (output.as) {
    const { version } = output.as;
    const head = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata: {} };
    return valueResponse(context, output, () => ({ ...head, items: items.map((item) => partialObjectMetadata(item, version)) }));
  }
  const head = { kind: definition.names.listKind, apiVersion: apiVersionOf(definition), metadata: {} };
  return valueResponse(context, output, () => ({ ...head, items: items.map(({ kind: _kind, apiVersion: _version, ...item }) => item) }));
}
