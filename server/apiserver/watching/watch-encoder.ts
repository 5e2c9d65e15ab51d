import type { UntypedObject } from '../../../api/meta/object.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { partialObjectMetadata, toTable } from '../../../api/resource/table.ts';
import type { NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { frameProtobufWatchEvent } from '../../../api/serialization/protobuf/lists-and-events.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { encodeMetadata, isProtobuf, tableOptions } from '../responses/object-response.ts';
import type { WatchStep } from './watch-step.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

const tail = Buffer.from('}\n');
const heads = new Map<string, Buffer>();

/** Larger objects are not copied into frames: they are sent as the bytes they are, between a head and a tail. */
const maxCopiedBytes = 64 * 1024;

/** A frame in one piece or more. */
export type Frame = readonly Uint8Array[];

/** Encodes the frames of one watch. */
export interface WatchEncoder {
  /** Watches with the same name have equal frames; absent if the frames of a watch depend on those it got before. */
  readonly representation: string | undefined;
  encode(step: WatchStep): Frame;
}

function headOf(type: string): Buffer {
  let head = heads.get(type);
  if (!head) heads.set(type, (head = Buffer.from(`{"type":"${type}","object":`)));
  return head;
}

function frame(type: string, json: Uint8Array | string): Uint8Array {
  return Buffer.concat([headOf(type), typeof json === 'string' ? Buffer.from(json) : json, tail]);
}

/** Frames of plain objects and of metadata are made once and shared by all watchers. */
export function createWatchEncoder(context: RequestContext, store: Store, output: NegotiatedOutput): WatchEncoder {
  return isProtobuf(output) ? createProtobufEncoder(store, output) : createJSONEncoder(context, store, output);
}

/**
 * Annotations of the bookmark after the initial objects (KEP-3157). The second contains an empty list as a LIST would have answered it:
 * clients that list by a watch fill it with the objects they received.
 */
function initialEnd(emptyList: Uint8Array | string): Record<string, string> {
  return {
    'k8s.io/initial-events-end': 'true',
    'kubernetes.io/initial-events-list-blueprint': Buffer.from(emptyList).toString('base64'),
  };
}

function createProtobufEncoder(store: Store, { as }: NegotiatedOutput): WatchEncoder {
  const own = { kind: store.definition.names.kind, apiVersion: apiVersionOf(store.definition) };
  const shown = as ? { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${as.version}` } : own;
  const listKind = as ? `${shown.kind}List` : store.definition.names.listKind;
  const emptyList = { kind: listKind, apiVersion: shown.apiVersion, metadata: {}, items: [] };
  const bookmark = (revision: number, annotations?: Record<string, string>) => {
    const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) };
    const object = { ...shown, metadata };
    return frameProtobufWatchEvent('BOOKMARK', encodeProtobuf(object));
  };
  const encode = (step: WatchStep) => {
    switch (step.type) {
      case 'BOOKMARK':
        return bookmark(step.revision);
      case 'INITIAL_END':
        return bookmark(step.revision, initialEnd(encodeProtobuf(emptyList)));
      case 'ERROR':
        return frameProtobufWatchEvent('ERROR', encodeProtobuf(step.status));
      default: {
        const { type, object } = step;
        const message = () => (as ? encodeMetadata(store, object, as.version) : store.protobuf(object));
        return object.encoded(`protobuf-frame:${type}:${shown.apiVersion}`, () => frameProtobufWatchEvent(type, message()));
      }
    }
  };
  return { representation: `protobuf:${shown.apiVersion}`, encode: (step) => [encode(step)] };
}

function createJSONEncoder(context: RequestContext, store: Store, output: NegotiatedOutput): WatchEncoder {
  const { definition } = store;
  const kind = output.as?.kind;
  const metaVersion = output.as?.version ?? 'v1';
  const metaAPIVersion = `meta.k8s.io/${metaVersion}`;
  const version = apiVersionOf(definition);
  let isFirst = true;
  // Throws while there is still a status to answer with.
  if (kind === 'Table') tableOptions(context, output);

  const table = (object: UntypedObject): string => {
    const options = { ...tableOptions(context, output), noHeaders: !isFirst };
    isFirst = false;
    return formatJSON(toTable(definition, [object], { resourceVersion: object.metadata.resourceVersion ?? '' }, options));
  };
  const encodeObject = (type: string, object: CachedObject): Frame => {
    if (kind === 'Table') return [frame(type, table(store.read(object) as UntypedObject))];
    if (kind !== undefined) {
      const metadata = () => formatJSON(partialObjectMetadata(store.read(object), metaVersion));
      return [object.encoded(`metadata-frame:${type}:${metaVersion}`, () => frame(type, metadata()))];
    }
    const json = store.bytes(object);
    if (json.length > maxCopiedBytes) return [headOf(type), json, tail];
    return [object.encoded(`frame:${type}:${version}`, () => frame(type, json))];
  };
  const emptyList = () => {
    const list =
      kind === undefined
        ? { kind: definition.names.listKind, apiVersion: version }
        : { kind: 'PartialObjectMetadataList', apiVersion: metaAPIVersion };
    return `${formatJSON({ ...list, metadata: {}, items: null })}\n`;
  };
  const bookmark = (revision: number, annotations?: Record<string, string>): Uint8Array => {
    const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...(annotations ? { annotations } : {}) };
    const object =
      kind === undefined
        ? { kind: definition.names.kind, apiVersion: version, metadata }
        : { kind: 'PartialObjectMetadata', apiVersion: metaAPIVersion, metadata };
    if (kind === 'Table')
      return frame(
        'BOOKMARK',
        formatJSON({
          kind: 'Table',
          apiVersion: metaAPIVersion,
          metadata: { resourceVersion: metadata.resourceVersion },
          columnDefinitions: [],
          rows: [{ cells: [], object }],
        }),
      );
    return frame('BOOKMARK', formatJSON(object));
  };

  const encode = (step: WatchStep): Frame => {
    switch (step.type) {
      case 'BOOKMARK':
        return [bookmark(step.revision)];
      case 'INITIAL_END':
        return [bookmark(step.revision, initialEnd(emptyList()))];
      case 'ERROR':
        return [frame('ERROR', formatJSON(step.status))];
      default:
        return encodeObject(step.type, step.object);
    }
  };
  if (kind === 'Table') return { representation: undefined, encode };
  return { representation: kind === undefined ? version : metaAPIVersion, encode };
}
