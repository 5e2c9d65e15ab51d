import type { ListHead } from '../../../api/serialization/protobuf/lists-and-events.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { parseJSON, stringifyJSON } from '../../../api/serialization/json.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/**
 * Items of a list do not contain their kind, except for custom kinds. Returns the bytes after the opening brace of an item's JSON: they are
 * not copied if the object begins with its type, as all that this server wrote do.
 */
export function createItemReader(
  { kind, apiVersion }: Pick<ListHead, 'kind' | 'apiVersion'>,
  definition: Pick<ResourceDefinition, 'schema'>,
): (json: Uint8Array) => Uint8Array {
  if (definition.schema) return (json) => json.subarray(1);
  const type = Buffer.from(`${formatJSON({ kind, apiVersion }).slice(0, -1)},`);
  return (json) => (beginsWith(json, type) ? json.subarray(type.length) : stringifyJSON(parseItem(json, definition)).subarray(1));
}

export function parseItem(json: Uint8Array, { schema }: Pick<ResourceDefinition, 'schema'>): object {
  const value = parseJSON(json).value as { kind?: string; apiVersion?: string };
  if (schema) return value;
  const { kind: _kind, apiVersion: _version, ...item } = value;
  return item;
}

function beginsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  for (let at = 0; at < beginning.length; at++) if (bytes[at] !== beginning[at]) return false;
  return true;
}
