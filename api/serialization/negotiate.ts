import { notAcceptable, unsupportedMediaType } from '../meta/status-errors.ts';
import {
  findMediaRange,
  jsonMediaType,
  type MediaRange,
  type MediaType,
  parseAccept,
  protobufMediaType,
  rangeIncludes,
  supportedMediaTypes,
} from './media-types.ts';

/** The `as`, `g` and `v` of an Accept header: in which kind the client wants to see the answer. */
export interface RequestedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface NegotiatedOutput {
  readonly mediaType: MediaType;
  /** Absent where the client takes the objects themselves. */
  readonly as?: RequestedKind;
  /** `pretty=1` */
  readonly pretty: boolean;
  /** `stream=watch` */
  readonly stream?: string;
}

export interface OutputChoice {
  /** Media types of the objects themselves; kinds that are made of them are written in all. Default: supportedMediaTypes. */
  readonly supported?: readonly MediaType[];
  /** Whether the endpoint can answer in that kind. Default: no. */
  readonly allowsKind?: (kind: RequestedKind, mediaType: MediaType) => boolean;
  /** The answer is a watch. */
  readonly isWatch?: boolean;
}

const metaVersions = new Set(['v1', 'v1beta1']);

/** The kinds in which get, list and watch answer besides their own: Table and PartialObjectMetadata of meta.k8s.io. */
export function isMetaKind({ group, version, kind }: RequestedKind, mediaType: MediaType): boolean {
  if (group !== 'meta.k8s.io' || !metaVersions.has(version)) return false;
  // a Table has no form in protobuf
  return (kind === 'Table' && mediaType !== protobufMediaType) || kind === 'PartialObjectMetadata' || kind === 'PartialObjectMetadataList';
}

function requestedKind({ parameters }: MediaRange): RequestedKind | undefined {
  const [kind, group, version] = [parameters.get('as'), parameters.get('g'), parameters.get('v')];
  if (kind === undefined && group === undefined && version === undefined) return undefined;
  return { group: group ?? '', version: version ?? '', kind: kind ?? '' };
}

function accept(range: MediaRange, mediaType: MediaType, choice: OutputChoice): NegotiatedOutput | undefined {
  if (!rangeIncludes(range, mediaType)) return undefined;
  const as = requestedKind(range);
  if (as ? choice.allowsKind?.(as, mediaType) !== true : choice.supported?.includes(mediaType) === false) return undefined;
  const stream = range.parameters.get('stream');
  if (stream && (stream !== 'watch' || mediaType.streamContentType === undefined)) return undefined;
  return { mediaType, ...(as ? { as } : {}), pretty: range.parameters.get('pretty') === '1', ...(stream ? { stream } : {}) };
}

function findOutput(header: string, choice: OutputChoice): NegotiatedOutput | undefined {
  for (const range of parseAccept(header)) {
    for (const mediaType of supportedMediaTypes) {
      const output = accept(range, mediaType, choice);
      if (output) return output;
    }
  }
  return undefined;
}

/** The output that most clients ask for. */
const plainJSON: NegotiatedOutput = { mediaType: jsonMediaType, pretty: false };

/** Chooses how to answer from the Accept header; the first supported type where there is none. Throws 406. */
export function negotiateOutput(header: string | undefined, choice: OutputChoice = {}): NegotiatedOutput {
  if (header === jsonMediaType.name && choice.supported === undefined) return plainJSON;
  const streams = (mediaType: MediaType) => choice.isWatch !== true || mediaType.streamContentType !== undefined;
  const supported = (choice.supported ?? supportedMediaTypes).filter(streams);
  const [first] = supported;
  if ((header === undefined || header.trim() === '') && first) return { mediaType: first, pretty: false };
  const output = findOutput(header ?? '', choice);
  // The client's first preference decides, also where that cannot be streamed.
  if (output && streams(output.mediaType)) return output;
  throw notAcceptable(
    supported.map((mediaType) => (choice.isWatch === true ? (mediaType.streamContentType ?? mediaType.name) : mediaType.name)),
  );
}

/** How the body is written, by its Content-Type; the first supported type where there is none. Throws 415. */
export function negotiateInput(header: string | undefined, supported: readonly MediaType[] = supportedMediaTypes): MediaType {
  const [first] = supported;
  if ((header === undefined || header === '') && first) return first;
  const plain = supported.find((mediaType) => mediaType.name === header);
  if (plain) return plain;
  const range = findMediaRange(header ?? '');
  const found = range && supported.find((mediaType) => mediaType.name === `${range.type}/${range.subtype}`);
  if (!found) throw unsupportedMediaType(supported.map((mediaType) => mediaType.name));
  return found;
}
