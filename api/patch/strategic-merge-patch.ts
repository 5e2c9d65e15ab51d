import { getOwn, isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { identifyBy, orderElements } from './element-order.ts';
import { formatGoValue, goTypeOf } from './go-value.ts';
import { PatchError } from './patch-error.ts';
import { cannotUnmarshal } from './patch-shape.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deleteFromPrimitiveList = '$deleteFromPrimitiveList';
const setElementOrder = '$setElementOrder';

const malformed = {
  primitiveList: 'invalid patch format of primitive list',
  retainKeys: 'invalid patch format of retainKeys',
  setElementOrder: 'invalid patch format of setElementOrder list',
};

/**
 * Applies a strategic merge patch: lists whose schema says so are merged by their merge key or as sets, and the directives
 * $patch, $retainKeys, $setElementOrder/<list> and $deleteFromPrimitiveList/<list> are obeyed. Neither argument is modified,
 * and what did not change is shared with the result. Throws PatchError. Without a schema (custom resources) there is no
 * strategic merge.
 */
export function applyStrategicMergePatch(object: JSONObject, patch: unknown, schema: StructuralSchema | undefined): JSONObject {
  if (schema === undefined) throw new PatchError('malformed', 'strategic merge patch format is not supported');
  if (patch === null) return object;
  if (!isJSONObject(patch)) throw new PatchError('malformed', cannotUnmarshal(patch, mapType));
  return mergeObjects(object, patch, schema);
}

function unexpected(message: string): PatchError {
  return new PatchError('unexpected', message);
}

function badType(expected: string, actual: unknown): PatchError {
  return unexpected(`expected a ${expected}, but received a ${goTypeOf(actual)}`);
}

const mapType = 'map[string]interface {}';
const listType = '[]interface {}';

/** Schema of a field, or of any value where there is none: maps are merged, lists replaced. */
function schemaOf(schema: StructuralSchema, key: string): StructuralSchema {
  return schema.properties?.get(key)?.schema ?? schema.additionalProperties ?? { type: 'any' };
}

function strategyOf(schema: StructuralSchema): string {
  return schema.patchStrategy?.find((strategy) => strategy !== 'retainKeys') ?? '';
}

function mergeObjects(object: JSONObject, patch: JSONObject, schema: StructuralSchema): JSONObject {
  const instruction = getOwn(patch, directive);
  if (instruction !== undefined) return obey(instruction, patch);
  const merged: JSONObject = { ...object };
  const rest = new Map(Object.entries(patch));
  retain(merged, patch);
  rest.delete(retainKeys);
  for (const key of Object.keys(patch)) {
    if (key.startsWith(setElementOrder)) mergeOrderedList(merged, rest, key, schema);
  }
  for (const [name, value] of rest) {
    const isDeletion = name.startsWith(deleteFromPrimitiveList);
    const key = isDeletion ? listName(name, deleteFromPrimitiveList, malformed.primitiveList) : name;
    mergeMember(merged, key, value, isDeletion, schema);
  }
  return merged;
}

/** `$patch` within a map: the patch takes its place, or nothing does. */
function obey(instruction: unknown, patch: JSONObject): JSONObject {
  if (instruction === 'delete') return {};
  if (instruction !== 'replace') throw badDirective(instruction, patch);
  const { [directive]: _, ...replacement } = patch;
  return replacement;
}

function badDirective(instruction: unknown, patch: JSONObject): PatchError {
  return unexpected(`unknown patch type: ${formatGoValue(instruction)} in map: ${formatGoValue(patch)}`);
}

/** `$retainKeys`: members of the object that it does not list go away. Modifies `merged`. */
function retain(merged: JSONObject, patch: JSONObject): void {
  const keys = getOwn(patch, retainKeys);
  if (keys === undefined) return;
  if (!Array.isArray(keys)) throw new PatchError('malformed', malformed.retainKeys);
  const retained = new Set<unknown>(keys);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deleteFromPrimitiveList) || key.startsWith(setElementOrder) || key === retainKeys) continue;
    if (!retained.has(key)) throw new PatchError('malformed', malformed.retainKeys);
  }
  for (const key of Object.keys(merged)) if (!retained.has(key)) delete merged[key];
}

function listName(key: string, prefix: string, message: string): string {
  if (!key.startsWith(`${prefix}/`)) throw new PatchError('malformed', message);
  return key.slice(prefix.length + 1);
}

function mergeMember(merged: JSONObject, key: string, value: unknown, isDeletion: boolean, schema: StructuralSchema): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const present = getOwn(merged, key);
  const isSameShape = isJSONObject(present) ? isJSONObject(value) : Array.isArray(present) && Array.isArray(value);
  if (!isSameShape) {
    if (isDeletion) return;
    const clean = withoutDirectives(value);
    if (clean === undefined) delete merged[key];
    else setOwn(merged, key, clean);
    return;
  }
  const child = schemaOf(schema, key);
  if (isJSONObject(present) && isJSONObject(value)) {
    setOwn(merged, key, strategyOf(child) === 'replace' ? value : mergeObjects(present, value, child));
  } else if (Array.isArray(present) && Array.isArray(value)) {
    setOwn(merged, key, mergeLists(present, value, child, isDeletion));
  }
}

/** A value that is new to the object: without members that are null or deleted; undefined if it is itself a directive. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((element) => element !== undefined);
  if (!isJSONObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const copy: JSONObject = {};
  for (const [key, member] of Object.entries(value)) {
    const clean = member === null ? undefined : withoutDirectives(member);
    if (clean !== undefined) setOwn(copy, key, clean);
  }
  return copy;
}

function mergeLists(
  live: readonly unknown[],
  patch: readonly unknown[],
  schema: StructuralSchema,
  isDeletion: boolean,
): readonly unknown[] {
  if (strategyOf(schema) !== 'merge' && !isDeletion) return patch;
  if (live.length === 0 && patch.length === 0) return live;
  const mergeKey = schema.patchMergeKey;
  if (elementKind([live, patch]) !== 'object') {
    if (isDeletion) {
      const deleted = new Set(patch);
      return live.filter((element) => !deleted.has(element));
    }
    const merged = [...new Set([...live, ...patch])];
    if (mergeKey !== undefined && merged.length > 0) throw badType(mapType, merged[0]);
    return orderElements(merged, patch, live, identifyBy(undefined));
  }
  if (mergeKey === undefined) throw unexpected(`cannot merge lists without merge key for ${schema.items?.name ?? 'list'}`);
  const { remaining, changes } = obeyElements(live.map(asObject), patch.map(asObject), mergeKey);
  const merged = mergeElements(remaining, changes, mergeKey, schema.items ?? { type: 'any' });
  return orderElements(merged, changes, remaining, identifyBy(mergeKey));
}

function asObject(value: unknown): JSONObject {
  if (!isJSONObject(value)) throw badType(mapType, value);
  return value;
}

/** Lists of lists and lists of mixed elements cannot be merged. */
function elementKind(lists: readonly (readonly unknown[])[]): string {
  let kind = '';
  for (const element of lists.flat(1)) {
    const type = Array.isArray(element) ? 'array' : element === null ? 'null' : typeof element;
    if (type === 'array') throw new PatchError('unfit', 'lists of lists are not supported');
    if (kind !== '' && type !== kind) throw unexpected(`list element types are not identical: ${formatGoValue(lists)}`);
    kind = type;
  }
  return kind;
}

/** Carries out `$patch: delete` and `$patch: replace` among the elements of the patch. */
function obeyElements(
  live: readonly JSONObject[],
  patch: readonly JSONObject[],
  mergeKey: string,
): { remaining: readonly JSONObject[]; changes: readonly JSONObject[] } {
  const changes: JSONObject[] = [];
  const deleted = new Set<unknown>();
  let isReplacement = false;
  for (const element of patch) {
    const instruction = getOwn(element, directive);
    if (instruction === undefined) changes.push(element);
    else if (instruction === 'delete') deleted.add(keyValue(element, mergeKey));
    else if (instruction === 'replace') isReplacement = true;
    else if (instruction === 'merge') throw unexpected('merging lists cannot yet be specified in the patch');
    else throw badDirective(instruction, element);
  }
  if (isReplacement) return { remaining: changes, changes: [] };
  return { remaining: live.filter((element) => !deleted.has(getOwn(element, mergeKey))), changes };
}

function keyValue(element: JSONObject, mergeKey: string): unknown {
  const value = getOwn(element, mergeKey);
  if (value === undefined) throw unexpected(`map: ${formatGoValue(element)} does not contain declared merge key: ${mergeKey}`);
  return value;
}

function mergeElements(
  live: readonly JSONObject[],
  changes: readonly JSONObject[],
  mergeKey: string,
  schema: StructuralSchema,
): readonly JSONObject[] {
  const merged = [...live];
  const places = new Map<unknown, number>();
  for (const [place, element] of live.entries()) {
    const value = keyValue(element, mergeKey);
    if (!places.has(value)) places.set(value, place);
  }
  for (const change of changes) {
    const value = keyValue(change, mergeKey);
    const place = places.get(value);
    const present = place === undefined ? undefined : merged[place];
    if (place === undefined || present === undefined) places.set(value, merged.push(change) - 1);
    else merged[place] = mergeObjects(present, change, schema);
  }
  return merged;
}

/**
 * Obeys `$setElementOrder/<list>`: merges the list and sorts it in that order. Modifies `merged`, and removes the used members from `rest`.
 */
function mergeOrderedList(merged: JSONObject, rest: Map<string, unknown>, orderKey: string, schema: StructuralSchema): void {
  const order = rest.get(orderKey);
  rest.delete(orderKey);
  if (!Array.isArray(order)) throw badType(listType, order);
  const key = listName(orderKey, setElementOrder, malformed.setElementOrder);
  const live = getOwn(merged, key);
  const patch = rest.get(key);
  for (const list of [live, patch]) if (list !== undefined && list !== null && !Array.isArray(list)) throw badType(listType, list);
  const child = schemaOf(schema, key);
  const mergeKey = child.patchMergeKey;
  if (Array.isArray(patch)) checkOrder(patch, order, mergeKey);
  let list: readonly unknown[];
  if (Array.isArray(live)) list = Array.isArray(patch) ? mergeLists(live, patch, child, false) : live;
  else if (Array.isArray(patch)) list = withoutDirectives(patch) as unknown[];
  else return;
  if (list.length > 0) {
    if (mergeKey !== undefined) for (const element of [...list, ...order]) keyValue(asObject(element), mergeKey);
    list = orderElements(list, order, Array.isArray(live) ? live : [], identifyBy(mergeKey));
  }
  setOwn(merged, key, list);
  rest.delete(key);
}

/** The patch's elements must be in the order list, in the same order. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (patch.length === 0 || order.length === 0) return;
  const ordered = order.map((element) => (mergeKey === undefined ? element : keyValue(asObject(element), mergeKey)));
  let next = 0;
  for (const element of patch) {
    if (isJSONObject(element) && Object.hasOwn(element, directive)) continue;
    const value = mergeKey === undefined ? element : keyValue(asObject(element), mergeKey);
    while (next < ordered.length && ordered[next] !== value) next++;
    if (next++ >= ordered.length) {
      const message = `The order in patch list:\n${formatGoValue(patch)}\n doesn't match ${setElementOrder} list:\n${formatGoValue(order)}\n`;
      throw unexpected(message);
    }
  }
}
