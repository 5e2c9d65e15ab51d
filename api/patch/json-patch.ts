import { isEqual } from '../base/equality.ts';
import { cloneJSON, getOwn, isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import { cannotUnmarshal } from './patch-shape.ts';
import { PatchError } from './patch-error.ts';
import { formatJSON } from '../base/format-json.ts';

interface JSONPatchLimits {
  readonly maxOperations: number;
  /** Bytes of JSON that all copy operations together may add. */
  readonly maxCopyBytes: number;
}

/** Upstream's limits. */
const defaultJSONPatchLimits: JSONPatchLimits = { maxOperations: 10_000, maxCopyBytes: 3 * 1024 * 1024 };

type Container = JSONObject | unknown[];

interface Operation {
  readonly op: string;
  readonly path: unknown;
  readonly from: unknown;
  /** null where it is absent. */
  readonly value: unknown;
}

/** The document while it is being patched. Containers are copied the first time they change; `own` holds the copies. */
interface Draft {
  root: unknown;
  readonly own: Set<Container>;
  readonly maxCopyBytes: number;
  copiedBytes: number;
}

/**
 * Applies an RFC 6902 patch; neither argument is modified, and what did not change is shared with the result. As with
 * upstream's library, replacing a missing member of an object adds it, an absent value counts as null, and array indexes
 * may count from the end (-1). Throws PatchError.
 */
export function applyJSONPatch(object: unknown, patch: unknown, limits: JSONPatchLimits = defaultJSONPatchLimits): unknown {
  const steps = jsonPatchSteps(object, patch, limits);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As applyJSONPatch, with a pause after each operation for whoever has other work to do; returns the result. */
export function* jsonPatchSteps(
  object: unknown,
  patch: unknown,
  limits: JSONPatchLimits = defaultJSONPatchLimits,
): Generator<undefined, unknown, undefined> {
  const operations = readOperations(patch);
  if (operations.length > limits.maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${limits.maxOperations}, got ${operations.length}`;
    throw new PatchError('too-large', message);
  }
  const draft: Draft = { root: object, own: new Set(), maxCopyBytes: limits.maxCopyBytes, copiedBytes: 0 };
  for (const operation of operations) {
    applyOperation(draft, operation);
    yield undefined;
  }
  return draft.root;
}

function readOperations(patch: unknown): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw new PatchError('malformed', cannotUnmarshal(patch, 'jsonpatch.Patch'));
  return patch.map((element: unknown) => {
    const operation = element ?? {};
    if (!isJSONObject(operation)) throw new PatchError('malformed', cannotUnmarshal(operation, 'jsonpatch.Operation'));
    const op = getOwn(operation, 'op');
    return {
      op: typeof op === 'string' ? op : 'unknown',
      path: getOwn(operation, 'path'),
      from: getOwn(operation, 'from'),
      value: getOwn(operation, 'value') ?? null,
    };
  });
}

function unfit(message: string): PatchError {
  return new PatchError('unfit', message);
}

function applyOperation(draft: Draft, operation: Operation): void {
  const { op, value } = operation;
  const path = pointerOf(op, 'path', operation.path);
  switch (op) {
    case 'add':
      return addAt(draft, op, path, value);
    case 'remove':
      return void removeAt(draft, op, path);
    case 'replace':
      return replaceAt(draft, path, value);
    case 'move': {
      const from = pointerOf(op, 'from', operation.from);
      return addAt(draft, op, path, removeAt(draft, op, from));
    }
    case 'copy':
      return copyTo(draft, pointerOf(op, 'from', operation.from), path);
    case 'test':
      return testAt(draft, path, value);
    default:
      throw unfit(`Unexpected kind: ${op}`);
  }
}

function pointerOf(op: string, name: string, pointer: unknown): string {
  if (typeof pointer === 'string') return pointer;
  throw unfit(`${op} operation failed to decode ${name}: missing value`);
}

function splitPointer(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~[01]/g, (escaped) => (escaped === '~1' ? '/' : '~')));
}

/** The container that `pointer` leads into and the key in it; for writing, every container on the way becomes a copy. */
function locate(draft: Draft, op: string, pointer: string, forWriting: boolean): { container: Container; key: string } {
  const parts = splitPointer(pointer);
  const key = parts.pop();
  const missing = () => unfit(`${op} operation does not apply: doc is missing path: "${pointer}": missing value`);
  if (key === undefined) throw missing();
  let container = forWriting ? writable(draft, draft.root) : draft.root;
  if (forWriting) draft.root = container;
  for (const part of parts) {
    if (!isContainer(container)) throw missing();
    const index = Array.isArray(container) ? findIndex(container, part, container.length) : undefined;
    const next = Array.isArray(container) ? container[index ?? -1] : getOwn(container, part);
    if (!isContainer(next)) throw missing();
    const child = forWriting ? writable(draft, next) : next;
    if (child !== next) {
      if (Array.isArray(container)) container[index ?? -1] = child;
      else setOwn(container, part, child);
    }
    container = child;
  }
  if (!isContainer(container)) throw missing();
  return { container, key };
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function writable(draft: Draft, value: unknown): unknown {
  if (!isContainer(value) || draft.own.has(value)) return value;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  draft.own.add(copy);
  return copy;
}

/** The array index of a path segment, negative ones counted from the end; undefined if it is not an index or out of bounds. */
function findIndex(array: readonly unknown[], part: string, bound: number): number | undefined {
  if (!/^[+-]?\d+$/.test(part)) return undefined;
  const number = Number(part);
  const index = number < 0 ? number + bound : number;
  return index >= 0 && index < Math.max(bound, array.length) ? index : undefined;
}

function getIndex(array: readonly unknown[], op: string, pointer: string, part: string, bound: number): number {
  const index = findIndex(array, part, bound);
  if (index !== undefined) return index;
  throw unfit(`error in ${op} for path: '${pointer}': Unable to access invalid index: ${part}: invalid index referenced`);
}

function addAt(draft: Draft, op: string, pointer: string, value: unknown): void {
  const { container, key } = locate(draft, op, pointer, true);
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(getIndex(container, op, pointer, key, container.length + 1), 0, value);
}

function removeAt(draft: Draft, op: string, pointer: string): unknown {
  const { container, key } = locate(draft, op, pointer, true);
  if (Array.isArray(container)) return container.splice(getIndex(container, op, pointer, key, container.length), 1)[0];
  if (!Object.hasOwn(container, key)) {
    throw unfit(`error in ${op} for path: '${pointer}': Unable to remove nonexistent key: ${key}: missing value`);
  }
  const value = container[key];
  delete container[key];
  return value;
}

function replaceAt(draft: Draft, pointer: string, value: unknown): void {
  if (pointer === '') {
    if (!isContainer(value)) throw unfit('replace operation value must be object or array');
    draft.root = value;
    return;
  }
  const { container, key } = locate(draft, 'replace', pointer, true);
  if (Array.isArray(container)) container[getIndex(container, 'replace', pointer, key, container.length)] = value;
  else setOwn(container, key, value);
}

function valueAt(draft: Draft, op: string, pointer: string): unknown {
  const { container, key } = locate(draft, op, pointer, false);
  const value = Array.isArray(container) ? container[getIndex(container, op, pointer, key, container.length)] : getOwn(container, key);
  return value ?? null;
}

function copyTo(draft: Draft, from: string, path: string): void {
  const value = valueAt(draft, 'copy', from);
  draft.copiedBytes += formatJSON(value).length;
  if (draft.copiedBytes > draft.maxCopyBytes) {
    const message = `Unable to complete the copy, the accumulated size increase of copy is ${draft.copiedBytes}, exceeding the limit ${draft.maxCopyBytes}`;
    throw unfit(message);
  }
  // A real copy: containers that this patch owns may still change in either place.
  addAt(draft, 'copy', path, cloneJSON(value));
}

function testAt(draft: Draft, pointer: string, expected: unknown): void {
  const actual = pointer === '' ? draft.root : valueAt(draft, 'test', pointer);
  if (!isEqual(actual, expected)) throw unfit(`testing value ${pointer} failed: test failed`);
}
