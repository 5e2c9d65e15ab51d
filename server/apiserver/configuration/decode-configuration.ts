import { isJSONObject, type JSONObject, setOwn } from '../../../api/base/json-object.ts';
import { quote } from '../../../api/base/quote.ts';
import { formatStrictFailure } from '../../../api/schema/decode-error.ts';
import { decode } from '../../../api/schema/decode.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { orderProblems } from '../../../api/serialization/order-problems.ts';
import { parseYAML } from '../../../api/serialization/yaml.ts';

/** A kind of configuration file of the API server, such as AuthorizationConfiguration. */
export interface ConfigurationKind {
  /** e.g. apiserver.config.k8s.io */
  readonly group: string;
  readonly kind: string;
  /** The schema of each version that is read, by its name; the first is that of an empty file. */
  readonly versions: ReadonlyMap<string, StructuralSchema>;
  /** Other kinds of the group, which get another error message. */
  readonly otherKinds: readonly string[];
}

interface DecodedConfiguration {
  readonly version: string;
  /** The object as its schema describes it, without apiVersion and kind. */
  readonly object: JSONObject;
}

/** Upstream's name for its list of kinds in messages. */
const schemeName = 'k8s.io/apiserver/pkg/apis/apiserver/load/load.go:32';
const maxBytes = 3 * 1024 * 1024;
const maxDepth = 100;

interface ParsedText {
  readonly value: unknown;
  /** The errors of its fields: repeated fields, and fields that the schema does not know. */
  problems(unknownFields: readonly string[]): readonly string[];
}

/**
 * Reads a configuration file, JSON or YAML, strictly: unknown and repeated fields are errors. Throws an Error with
 * upstream's message. An empty file is a configuration without fields.
 */
export function decodeConfiguration(bytes: Uint8Array, expected: ConfigurationKind): DecodedConfiguration {
  if (bytes.length > maxBytes) throw new Error(`it has ${bytes.length} bytes, more than ${maxBytes}`);
  const [first] = expected.versions.keys();
  if (bytes.length === 0) return { version: first ?? '', object: {} };
  const text = new TextDecoder().decode(bytes);
  const { value, problems } = parseText(text);
  const { version, schema } = findVersion(value, text, expected);
  const { apiVersion: _apiVersion, kind: _kind, ...fields } = value as JSONObject;
  const { object, unknownFields } = decode(fields, schema);
  const found = problems(unknownFields);
  if (found.length > 0) throw new Error(formatStrictFailure(found));
  return { version, object };
}

function parseText(text: string): ParsedText {
  if (!text.trimStart().startsWith('{')) {
    const { value, duplicateProblem } = parseYAML(text, { maxDepth, findDuplicates: true });
    const repeated = duplicateProblem === undefined ? [] : [duplicateProblem];
    return { value: sortKeys(value), problems: (unknown) => [...repeated, ...orderProblems('', 0, [], unknown)] };
  }
  try {
    const { value, duplicateFields } = parseJSON(text, { maxDepth, findDuplicates: true, keepFloats: true });
    return { value, problems: (unknown) => orderProblems(text, maxDepth, duplicateFields, unknown) };
  } catch (error) {
    if (error instanceof JSONSyntaxError)
      throw new Error(`couldn't get version/kind; json parse error: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Sorts the keys of objects: upstream converts YAML to JSON with sorted keys first, and reports errors in that order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJSONObject(value)) return value;
  const sorted: JSONObject = {};
  for (const key of Object.keys(value).toSorted()) setOwn(sorted, key, sortKeys(value[key]));
  return sorted;
}

function findVersion(
  value: unknown,
  text: string,
  { group, kind: expectedKind, versions, otherKinds }: ConfigurationKind,
): { readonly version: string; readonly schema: StructuralSchema } {
  const { apiVersion, kind } = readTypeMeta(value);
  if (kind === '') throw new Error(`Object 'Kind' is missing in '${text}'`);
  if (apiVersion === '') throw new Error(`Object 'apiVersion' is missing in '${text}'`);
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  const [foundGroup = '', version = ''] = parts.length === 2 ? parts : ['', apiVersion];
  const schema = foundGroup === group ? versions.get(version) : undefined;
  if (kind === expectedKind && schema !== undefined) return { version, schema };
  if (otherKinds.includes(kind) && foundGroup === group) throw new Error(`expected ${expectedKind}, got *apiserver.${kind}`);
  throw new Error(`no kind ${quote(kind)} is registered for version ${quote(apiVersion)} in scheme ${quote(schemeName)}`);
}

function readTypeMeta(value: unknown): { readonly apiVersion: string; readonly kind: string } {
  const fail = (what: string) => new Error(`couldn't get version/kind; json parse error: json: cannot unmarshal ${what}`);
  if (value !== null && value !== undefined && !isJSONObject(value)) {
    const goType = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw fail(`${nameOf(value)} into Go value of type ${goType}`);
  }
  const { apiVersion = '', kind = '' } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown };
  for (const [field, content] of Object.entries({ apiVersion, kind })) {
    if (content !== null && typeof content !== 'string') throw fail(`${nameOf(content)} into Go struct field .${field} of type string`);
  }
  const textOf = (content: unknown) => (typeof content === 'string' ? content : '');
  return { apiVersion: textOf(apiVersion), kind: textOf(kind) };
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' || typeof value === 'object' ? typeof value : 'number';
}
