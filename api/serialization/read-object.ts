import { JSONFloat } from '../base/json-float.ts';
import { isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import { quote } from '../base/quote.ts';
import type { KubeObject } from '../meta/object.ts';
import { badRequest, invalid } from '../meta/status-errors.ts';
import { invalid as invalidField } from '../validation/field-error.ts';
import { FieldPath } from '../validation/field-path.ts';
import { decode } from '../schema/decode.ts';
import { DecodeError, formatDecodeFailure, formatStrictFailure } from '../schema/decode-error.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { parseJSON } from './json.ts';
import { JSONSyntaxError } from './json-parser.ts';
import type { MediaType } from './media-types.ts';
import { orderProblems } from './order-problems.ts';
import { decodeMessage } from './protobuf/message.ts';
import { readEnvelope } from './protobuf/protobuf.ts';
import { ProtobufError } from './protobuf/wire.ts';
import { parseYAML, YAMLSyntaxError } from './yaml.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface ObjectKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ReadObjectOptions {
  /** The kind that the endpoint takes; a body without apiVersion or kind is taken as that kind. */
  readonly expected: ObjectKind;
  readonly schema: StructuralSchema;
  readonly fieldValidation: FieldValidation;
  /** Whether the server knows the kind at all, which decides between two messages for a body of another kind. */
  readonly isRegistered: (kind: ObjectKind) => boolean;
}

interface ReadObject {
  /** Decoded by the schema, with apiVersion and kind; not defaulted. */
  readonly object: KubeObject & Record<string, unknown>;
  /** Warnings of fieldValidation=Warn: unknown and repeated fields. */
  readonly warnings: readonly string[];
}

/** The parser has already refused deeper values. */
const maxDepth = Number.POSITIVE_INFINITY;

interface ParsedBody {
  readonly value: unknown;
  /** Repeated fields, and those that the schema turned out not to know. */
  problems(unknownFields: readonly string[]): readonly string[];
}

/** Decodes the body of a request. Throws StatusError 400 with upstream's messages. */
export function readObject(body: Uint8Array, mediaType: MediaType, options: ReadObjectOptions): ReadObject {
  const { expected, schema, fieldValidation } = options;
  const { value, problems } = parseBody(body, mediaType, options);
  const kind = kindOf(value, body, expected);
  if (schema.isUnstructured) checkCustomKind(value, kind, body, expected);
  if (kind.kind !== expected.kind || kind.group !== expected.group || kind.version !== expected.version) throw wrongKind(kind, options);
  try {
    const { object, unknownFields } = decode(value ?? {}, schema);
    const warnings = fieldValidation === 'Ignore' ? [] : problems(unknownFields);
    if (fieldValidation === 'Strict' && warnings.length > 0)
      throw badRequest(formatDecodeFailure(kind, expected.kind, formatStrictFailure(warnings)));
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
    return {
      object: { kind: kind.kind, apiVersion: formatAPIVersion(kind), metadata: (metadata ?? {}) as KubeObject['metadata'], ...rest },
      warnings: warnings.flatMap(splitWarning),
    };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(formatDecodeFailure(kind, expected.kind, error.message));
    throw error;
  }
}

/** Sorts the keys of objects: upstream converts YAML to JSON with sorted keys first, and reports problems in that order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJSONObject(value)) return value;
  const sorted: JSONObject = {};
  for (const key of Object.keys(value).toSorted()) setOwn(sorted, key, sortKeys(value[key]));
  return sorted;
}

/** Splits an error of YAML's reader that has several lines into a warning for each. */
function splitWarning(problem: string): string[] {
  const heading = 'yaml: unmarshal errors:\n';
  if (!problem.startsWith(heading)) return [problem];
  return problem
    .slice(heading.length)
    .split('\n')
    .map((line) => line.trim());
}

function parseBody(body: Uint8Array, mediaType: MediaType, { expected, schema, fieldValidation }: ReadObjectOptions): ParsedBody {
  const findDuplicates = fieldValidation !== 'Ignore';
  try {
    switch (mediaType.name) {
      case 'application/json': {
        const { value, duplicateFields } = parseJSON(body, { findDuplicates, keepFloats: true });
        const problems = (unknown: readonly string[]) =>
          // Custom objects are read first and pruned afterwards.
          schema.isUnstructured
            ? [...orderProblems('', 0, duplicateFields, []), ...orderProblems('', 0, [], unknown)]
            : orderProblems(new TextDecoder().decode(body), maxDepth, duplicateFields, unknown);
        return { value, problems };
      }
      case 'application/yaml': {
        const { value, duplicateProblem } = parseYAML(body, { findDuplicates });
        const repeated = duplicateProblem === undefined ? [] : [duplicateProblem];
        return { value: sortKeys(value), problems: (unknown) => [...repeated, ...orderProblems('', 0, [], unknown)] };
      }
      case 'application/vnd.kubernetes.protobuf': {
        const { apiVersion, kind, raw } = readEnvelope(body);
        const isExpected = (kind === '' || kind === expected.kind) && (apiVersion === '' || apiVersion === formatAPIVersion(expected));
        // A protobuf message does not contain its kind, and a message of another kind would decode to nonsense.
        return { value: { ...(isExpected ? decodeMessage(raw, schema) : {}), apiVersion, kind }, problems: () => [] };
      }
    }
  } catch (error) {
    if (error instanceof JSONSyntaxError)
      throw unrecognized(body, expected, `couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof YAMLSyntaxError || error instanceof ProtobufError) throw unrecognized(body, expected, error.message);
    throw error;
  }
}

/** The fields that name the kind, before anything else is looked at. */
function kindOf(value: unknown, body: Uint8Array, expected: ObjectKind): ObjectKind {
  const fail = (what: string) =>
    unrecognized(body, expected, `couldn't get version/kind; json parse error: json: cannot unmarshal ${what}`);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    const goType = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw fail(`${Array.isArray(value) ? 'array' : nameOf(value)} into Go value of type ${goType}`);
  }
  const { apiVersion = '', kind = '' } = typeFieldsOf(value ?? {});
  for (const [field, content] of Object.entries({ apiVersion, kind })) {
    if (content !== null && typeof content !== 'string')
      throw fail(`${Array.isArray(content) ? 'array' : nameOf(content)} into Go struct field .${field} of type string`);
  }
  const text = typeof apiVersion === 'string' ? apiVersion : '';
  const parts = text.split('/');
  if (parts.length > 2) throw unrecognized(body, expected, `unexpected GroupVersion string: ${text}`);
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', text];
  const isUnversioned = text === '';
  return {
    group: isUnversioned ? expected.group : group,
    version: isUnversioned ? expected.version : version,
    kind: typeof kind === 'string' && kind !== '' ? kind : expected.kind,
  };
}

/**
 * The fields that name the kind, as Go's decoder finds them: whatever the case of their letters, the last of several. The
 * decoder of the object itself knows one spelling only.
 */
function typeFieldsOf(value: object): { readonly apiVersion?: unknown; readonly kind?: unknown } {
  const found: { apiVersion?: unknown; kind?: unknown } = {};
  for (const [name, content] of Object.entries(value)) {
    if (content === null) continue;
    // Go takes the Kelvin sign for a k and the long s for an s.
    if (/^[k\u212a]ind$/i.test(name)) found.kind = content;
    else if (/^apiver[s\u017f]ion$/i.test(name)) found.apiVersion = content;
  }
  return found;
}

/** Checks that the body of a custom kind names its apiVersion and kind. Throws 400, and 422 for another kind of the version. */
function checkCustomKind(value: unknown, kind: ObjectKind, body: Uint8Array, expected: ObjectKind): void {
  const { apiVersion, kind: ownKind, metadata } = (value ?? {}) as { apiVersion?: string; kind?: string; metadata?: { name?: unknown } };
  if (!ownKind) throw unrecognized(body, expected, `Object 'Kind' is missing in '${new TextDecoder().decode(body)}'`);
  const wanted = formatAPIVersion(expected);
  if ((apiVersion ?? '') !== wanted)
    throw badRequest(`the API version in the data (${apiVersion ?? ''}) does not match the expected API version (${wanted})`);
  if (kind.kind === expected.kind) return;
  const problem = invalidField(FieldPath.root.child('kind'), kind.kind, `must be ${expected.kind}`);
  throw invalid(kind, typeof metadata?.name === 'string' ? metadata.name : '', [problem]);
}

function nameOf(value: unknown): string {
  return value instanceof JSONFloat ? 'number' : typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

function formatAPIVersion({ group, version }: ObjectKind): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Upstream's name of the list of known kinds, which its message quotes. */
const schemeName = 'pkg/api/legacyscheme/scheme.go:30';

function wrongKind(kind: ObjectKind, { expected, isRegistered }: ReadObjectOptions): Error {
  if (!isRegistered(kind)) {
    const reason = `no kind ${quote(kind.kind)} is registered for version ${quote(formatAPIVersion(kind))} in scheme ${quote(schemeName)}`;
    return badRequest(formatDecodeFailure(kind, expected.kind, reason));
  }
  if (kind.kind === expected.kind && kind.group === expected.group) {
    return badRequest(
      `the API version in the data (${formatAPIVersion(kind)}) does not match the expected API version (${formatAPIVersion(expected)})`,
    );
  }
  const internal = expected.group === '' ? 'core' : (expected.group.split('.')[0] ?? '');
  return badRequest(
    formatDecodeFailure(
      kind,
      expected.kind,
      `converting (${kind.version}.${kind.kind}) to (${internal}.${expected.kind}): unknown conversion`,
    ),
  );
}

/** The beginning of the body, in hexadecimal where it is no JSON object. */
function summarize(body: Uint8Array): string {
  const most = 30;
  if (body.length === 0) return '<empty>';
  const head = body.subarray(0, most);
  const text = body[0] === 0x7b ? new TextDecoder().decode(head) : Array.from(head, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return body.length > most ? `${text} ...` : text;
}

function unrecognized(body: Uint8Array, expected: ObjectKind, reason: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${reason} (${summarize(body)})`);
}
