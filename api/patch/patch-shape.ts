import { isJSONObject } from '../base/json-object.ts';
import type { PatchType } from './patch-type.ts';

/** The error in the form of a parsed patch, where it is read with care (fieldValidation Warn and Strict), in Go's words. */
export function shapeProblem(type: PatchType, patch: unknown): string | undefined {
  if (patch === null) return undefined;
  switch (type) {
    case 'application/json-patch+json':
      return Array.isArray(patch) ? patch.map(operationProblem).find(Boolean) : cannotUnmarshal(patch, '[]handlers.jsonPatchOp');
    case 'application/merge-patch+json':
      return isJSONObject(patch) ? undefined : cannotUnmarshal(patch, 'map[string]interface {}');
    case 'application/strategic-merge-patch+json':
      return undefined;
  }
}

function operationProblem(operation: unknown): string | undefined {
  if (operation === null) return undefined;
  if (!isJSONObject(operation)) return cannotUnmarshal(operation, 'handlers.jsonPatchOp');
  for (const field of ['op', 'path', 'from']) {
    const value = operation[field];
    if (value !== undefined && value !== null && typeof value !== 'string')
      return `json: cannot unmarshal ${goName(value)} into Go struct field jsonPatchOp.${field} of type string`;
  }
  return undefined;
}

export function cannotUnmarshal(value: unknown, type: string): string {
  return `json: cannot unmarshal ${goName(value)} into Go value of type ${type}`;
}

function goName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
