import type { JSONObject } from '../base/json-object.ts';
import { badRequest, requestEntityTooLarge, unexpectedError, unprocessablePatch } from '../meta/status-errors.ts';
import type { StatusError } from '../meta/status.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { applyJSONPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { PatchError } from './patch-error.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';
import type { PatchType } from './patch-type.ts';

interface PatchRequest {
  readonly type: PatchType;
  /** The stored object; not modified. */
  readonly object: JSONObject;
  /** Parsed body. */
  readonly patch: unknown;
  /** Schema of the object's kind; undefined for custom resources, which have no strategic merge. */
  readonly schema: StructuralSchema | undefined;
}

/** The patched object, not yet decoded. Throws StatusErrors as upstream answers them. */
export function patchObject({ type, object, patch, schema }: PatchRequest): unknown {
  try {
    switch (type) {
      case 'application/json-patch+json':
        return applyJSONPatch(object, patch);
      case 'application/merge-patch+json':
        return applyMergePatch(object, patch);
      case 'application/strategic-merge-patch+json':
        return applyStrategicMergePatch(object, patch, schema);
    }
  } catch (error) {
    throw error instanceof PatchError ? toStatusError(error) : error;
  }
}

function toStatusError(error: PatchError): StatusError {
  switch (error.reason) {
    case 'malformed':
      return badRequest(error.message);
    case 'unfit':
      return unprocessablePatch();
    case 'too-large':
      return requestEntityTooLarge(error.message);
    case 'unexpected':
      return unexpectedError(error.message);
  }
}
