import { isEqual } from '../../base/equality.ts';
import { getOwn, isJSONObject, type JSONObject, setOwn } from '../../base/json-object.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';

/** A client's diff: the patch that makes `to` of `from`. Objects have no members that are null. */

/** RFC 7386. */
export function mergeDiff(from: JSONObject, to: JSONObject): JSONObject {
  const patch: JSONObject = {};
  for (const key of keysOf(from, to)) {
    const [a, b] = [getOwn(from, key), getOwn(to, key)];
    if (isEqual(a, b)) continue;
    setOwn(patch, key, isJSONObject(a) && isJSONObject(b) ? mergeDiff(a, b) : (b ?? null));
  }
  return patch;
}

interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

/** RFC 6902. */
export function jsonDiff(from: unknown, to: unknown, path = ''): Operation[] {
  if (isEqual(from, to)) return [];
  if (isJSONObject(from) && isJSONObject(to)) {
    return keysOf(from, to).flatMap((key) => {
      const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const [a, b] = [getOwn(from, key), getOwn(to, key)];
      if (a === undefined) return [{ op: 'add', path: at, value: b }];
      return b === undefined ? [{ op: 'remove', path: at }] : jsonDiff(a, b, at);
    });
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const both = Math.min(from.length, to.length);
    const changed = from.slice(0, both).flatMap((item, index) => jsonDiff(item, to[index], `${path}/${index}`));
    const removed = from.slice(both).map((): Operation => ({ op: 'remove', path: `${path}/${both}` }));
    return [...changed, ...removed, ...to.slice(both).map((value): Operation => ({ op: 'add', path: `${path}/-`, value }))];
  }
  return [{ op: 'replace', path, value: to }];
}

/** The three-way patch of kubectl, in two ways. */
export function strategicDiff(from: JSONObject, to: JSONObject, schema: StructuralSchema): JSONObject {
  const patch: JSONObject = {};
  for (const key of keysOf(from, to)) {
    const child = schema.properties?.get(key)?.schema ?? schema.additionalProperties ?? { type: 'any' };
    const [a, b] = [getOwn(from, key), getOwn(to, key)];
    if (isEqual(a, b)) continue;
    if (isJSONObject(a) && isJSONObject(b) && !replaces(child)) setOwn(patch, key, structDiff(a, b, child));
    else if (Array.isArray(a) && Array.isArray(b) && child.patchStrategy?.includes('merge') === true) listDiff(patch, key, a, b, child);
    else setOwn(patch, key, b ?? null);
  }
  return patch;
}

const replaces = ({ patchStrategy }: StructuralSchema) => patchStrategy?.includes('replace') === true;

function structDiff(from: JSONObject, to: JSONObject, schema: StructuralSchema): JSONObject {
  const patch = strategicDiff(from, to, schema);
  return schema.patchStrategy?.includes('retainKeys') === true ? { ...patch, $retainKeys: Object.keys(to) } : patch;
}

function listDiff(patch: JSONObject, name: string, from: readonly unknown[], to: readonly unknown[], schema: StructuralSchema): void {
  const { patchMergeKey: mergeKey, items = { type: 'any' } } = schema;
  if (mergeKey === undefined) {
    setOwn(patch, name, to);
    patch[`$deleteFromPrimitiveList/${name}`] = from.filter((item) => !to.some((other) => isEqual(item, other)));
    patch[`$setElementOrder/${name}`] = to;
    return;
  }
  const keyOf = (item: unknown) => getOwn(item as JSONObject, mergeKey);
  const find = (list: readonly unknown[], key: unknown) => list.find((item) => isEqual(keyOf(item), key)) as JSONObject | undefined;
  const changes: JSONObject[] = to.flatMap((item) => {
    const old = find(from, keyOf(item));
    if (old === undefined) return [item as JSONObject];
    return isEqual(old, item) ? [] : [{ ...strategicDiff(old, item as JSONObject, items), [mergeKey]: keyOf(item) }];
  });
  const gone = from.filter((item) => find(to, keyOf(item)) === undefined);
  setOwn(patch, name, [...changes, ...gone.map((item) => ({ $patch: 'delete', [mergeKey]: keyOf(item) }))]);
  patch[`$setElementOrder/${name}`] = to.map((item) => ({ [mergeKey]: keyOf(item) }));
}

function keysOf(from: JSONObject, to: JSONObject): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])];
}
