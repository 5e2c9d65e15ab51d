import { parseJSON } from '../../../api/serialization/json.ts';
import { StorageError } from '../storage.ts';
import { absent, findMember, findPath, isCloseBrace, isOpenBrace, odd, skipSpace, skipValue } from './json-scan.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

const newline = 0x0a;

/**
 * Converts stored JSON into the JSON that clients read: one line, with `metadata.resourceVersion` set. The stored bytes are copied around
 * that place and not parsed. A resourceVersion in them is replaced.
 */
export function setResourceVersion(stored: Uint8Array, revision: number): Uint8Array {
  const end = trimmedEnd(stored);
  const json = end === stored.length ? stored : stored.subarray(0, end);
  if (json.includes(newline)) return reparsed(json, revision); // each event of a watch is one line
  // A damaged disk leaves cut values, and zeroes in the midst of them. Parsing gives the error.
  if (!isCloseBrace(json, json.length - 1) || json.includes(0)) return reparsed(json, revision);
  const open = findPath(json, ['metadata']);
  if (open < 0 || !isOpenBrace(json, open)) return reparsed(json, revision);
  const existing = mayContain(json, open) ? findMember(json, open, 'resourceVersion') : absent;
  if (existing === odd) return reparsed(json, revision);
  if (existing !== absent) return joined(json, existing, `"${revision}"`, skipValue(json, existing));
  const isEmpty = isCloseBrace(json, skipSpace(json, open + 1));
  return joined(json, open + 1, `"resourceVersion":"${revision}"${isEmpty ? '' : ','}`, open + 1);
}

/** The value at `path`, parsed; undefined if there is none. */
export function parseAt(json: Uint8Array, path: readonly string[]): unknown {
  const from = findPath(json, path);
  if (from === absent) return undefined;
  if (from !== odd) return parseJSON(json.subarray(from, skipValue(json, from))).value;
  let value: unknown = parsed(json);
  for (const name of path) value = isRecord(value) ? value[name] : undefined;
  return value;
}

function joined(json: Uint8Array, before: number, inserted: string, after: number): Uint8Array {
  // Not from Node's shared pool: a long-lived object would pin the whole slab.
  const wire = Buffer.allocUnsafeSlow(before + inserted.length + (json.length - after));
  wire.set(json.subarray(0, before), 0);
  wire.write(inserted, before, 'latin1');
  wire.set(json.subarray(after), before + inserted.length);
  return wire;
}

function reparsed(json: Uint8Array, revision: number): Uint8Array {
  const object = parsed(json);
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  const text = formatJSON({ ...object, metadata: { ...metadata, resourceVersion: String(revision) } });
  const wire = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  wire.write(text);
  return wire;
}

function parsed(json: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    ({ value } = parseJSON(json));
  } catch (cause) {
    throw new StorageError('corrupt', 'the stored value is not JSON', { cause });
  }
  if (!isRecord(value)) throw new StorageError('corrupt', 'the stored value is not an object');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mayContain(json: Uint8Array, from: number): boolean {
  return asBuffer(json).includes('"resourceVersion"', from, 'latin1');
}

function trimmedEnd(json: Uint8Array): number {
  let end = json.length;
  while (end > 0 && (json[end - 1] ?? 0xff) <= 0x20) end--;
  return end;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
