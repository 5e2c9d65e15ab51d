import { getOwn, isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import { PatchError } from './patch-error.ts';

/**
 * Applies an RFC 7386 merge patch; neither argument is modified, and what did not change is shared with the result. As with
 * upstream's library, nulls are also dropped from objects inside arrays. Throws PatchError if the patch is no object.
 */
export function applyMergePatch(object: JSONObject, patch: unknown): JSONObject {
  if (!isJSONObject(patch)) throw new PatchError('malformed', 'Invalid JSON Patch');
  return merge(object, patch);
}

function merge(object: JSONObject, patch: JSONObject): JSONObject {
  const merged: JSONObject = { ...object };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    const present = getOwn(merged, key);
    if (value === null) delete merged[key];
    else setOwn(merged, key, isJSONObject(present) && isJSONObject(value) ? merge(present, value) : withoutNulls(value));
  }
  return merged;
}

/** The value without members that are null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJSONObject(value)) return value;
  const copy: JSONObject = {};
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member !== null) setOwn(copy, key, withoutNulls(member));
  }
  return copy;
}
