import { getOwn, isJSONObject, type JSONObject, setOwn } from '../../../api/base/json-object.ts';
import { concatBytes } from '../../../api/client/read-body.ts';

/** Merges the OpenAPI v2 documents of other API servers into one. Pure. */

/** The part of a document for one group version. */
export interface SwaggerPart {
  readonly paths: JSONObject;
  readonly definitions: JSONObject;
}

/** The paths of a group version, and all definitions. Throws for another document. */
export function readSwagger(text: string, group: string, version: string): SwaggerPart {
  const document: unknown = JSON.parse(text);
  if (!isJSONObject(document) || !isJSONObject(getOwn(document, 'paths'))) throw new Error('the answer is no OpenAPI document');
  const prefix = `/apis/${group}/${version}/`;
  const paths: JSONObject = {};
  for (const [path, item] of Object.entries(document['paths'] as JSONObject))
    if (path.startsWith(prefix) || `${path}/` === prefix) setOwn(paths, path, item);
  const definitions: JSONObject = {};
  for (const [name, definition] of Object.entries(isJSONObject(document['definitions']) ? document['definitions'] : {}))
    if (isJSONObject(definition)) setOwn(definitions, name, definition);
  return { paths, definitions };
}

const separator = Buffer.from(',');
const [quoteMark, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Where the value of a member is. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The members of the JSON object that begins at `start`, without a parse of their values. */
function membersAt(bytes: Uint8Array, start: number): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let depth = 0;
  let name = '';
  let valueAt = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quoteMark) {
      const begin = at;
      for (at++; at < bytes.length && bytes[at] !== quoteMark; at++) if (bytes[at] === backslash) at++;
      if (depth === 1 && valueAt === 0) name = JSON.parse(decoder.decode(bytes.subarray(begin, at + 1))) as string;
    } else if (byte === colon && depth === 1 && valueAt === 0) valueAt = at + 1;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket || (byte === comma && depth === 1)) {
      if (byte !== comma) depth--;
      if (valueAt > 0 && (depth === 0 || byte === comma)) {
        members.set(name, { start: valueAt, end: at });
        valueAt = 0;
      }
      if (depth === 0) break;
    }
  }
  return members;
}

const decoder = new TextDecoder();

/** An OpenAPI v2 document as its bytes, and where its paths and definitions are in them. */
export interface SwaggerBytes {
  readonly bytes: Uint8Array;
  readonly paths: Span & { readonly names: ReadonlySet<string> };
  readonly definitions: Span & { readonly members: ReadonlyMap<string, Span> };
}

/** Finds the parts of a document of some megabytes in one pass; undefined if it lacks them. */
export function indexSwagger(bytes: Uint8Array): SwaggerBytes | undefined {
  const top = membersAt(bytes, 0);
  const [paths, definitions] = [top.get('paths'), top.get('definitions')];
  if (!paths || !definitions || bytes[paths.start] !== openBrace || bytes[definitions.start] !== openBrace) return undefined;
  return {
    bytes,
    paths: { ...paths, names: new Set(membersAt(bytes, paths.start).keys()) },
    definitions: { ...definitions, members: membersAt(bytes, definitions.start) },
  };
}

/** The number of definitions and paths after which other work gets a turn. */
const piece = 1000;

/**
 * Adds paths and definitions to a document as bytes. A definition whose name has another meaning already is renamed to `<name>_v2`, `_v3`,
 * ...; an existing path stays unchanged. `nextTurn` gives other work a turn of the event loop.
 */
export async function mergeSwagger(
  document: SwaggerBytes,
  parts: readonly SwaggerPart[],
  nextTurn: () => Promise<void>,
): Promise<Uint8Array> {
  const paths = new Map<string, string>();
  const definitions = new Map<string, string>();
  const findKnown = (name: string): string | undefined => {
    const span = document.definitions.members.get(name);
    return definitions.get(name) ?? (span && decoder.decode(document.bytes.subarray(span.start, span.end)));
  };
  let count = 0;
  const step = async () => {
    if (++count % piece === 0) await nextTurn();
  };
  for (const part of parts) {
    const names = new Map<string, string>();
    const texts = new Map<string, string>();
    for (const [name, definition] of Object.entries(part.definitions)) {
      const text = JSON.stringify(definition);
      let free = name;
      for (let number = 2; (findKnown(free) ?? text) !== text; number++) free = `${name}_v${number}`;
      if (free !== name) names.set(name, free);
      texts.set(name, text);
      await step();
    }
    const write = (value: unknown, text?: string) => (names.size === 0 ? (text ?? JSON.stringify(value)) : writeRenamed(value, names));
    for (const [name, definition] of Object.entries(part.definitions)) {
      const target = names.get(name) ?? name;
      if (findKnown(target) === undefined) definitions.set(target, write(definition, texts.get(name)));
      await step();
    }
    for (const [path, item] of Object.entries(part.paths)) {
      if (!document.paths.names.has(path) && !paths.has(path)) paths.set(path, write(item));
      await step();
    }
  }
  await nextTurn();
  return insertMembers(document, paths, definitions);
}

function insertMembers(document: SwaggerBytes, paths: ReadonlyMap<string, string>, definitions: ReadonlyMap<string, string>): Uint8Array {
  const { bytes } = document;
  const inserts = [
    { at: document.paths.start + 1, isEmpty: document.paths.names.size === 0, members: paths },
    { at: document.definitions.start + 1, isEmpty: document.definitions.members.size === 0, members: definitions },
  ].toSorted((a, b) => a.at - b.at);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { at, isEmpty, members } of inserts) {
    const text = [...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',');
    pieces.push(bytes.subarray(from, at), Buffer.from(text));
    if (members.size > 0 && !isEmpty) pieces.push(separator);
    from = at;
  }
  return concatBytes([...pieces, bytes.subarray(from)]);
}

const reference = '#/definitions/';

function writeRenamed(value: unknown, names: ReadonlyMap<string, string>): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(reference)) return inner;
    const name = inner.slice(reference.length);
    return `${reference}${names.get(name) ?? name}`;
  });
}
