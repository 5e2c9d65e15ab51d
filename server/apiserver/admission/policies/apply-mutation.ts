import { findAtomics } from '../../../../api/apply/find-atomics.ts';
import { mergeValues } from '../../../../api/apply/merge-values.ts';
import { rootSchema } from '../../../../api/apply/typed-schema.ts';
import { formatProblems, validateTyped } from '../../../../api/apply/validate-typed.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { internalError } from '../../../../api/meta/status-errors.ts';
import { applyJSONPatch } from '../../../../api/patch/json-patch.ts';
import { PatchError } from '../../../../api/patch/patch-error.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import { DecodeError } from '../../../../api/schema/decode-error.ts';
import { decode } from '../../../../api/schema/decode.ts';
import { applyDefaults } from '../../../../api/schema/default.ts';
import { findKindSchema } from '../../../../api/schema/definition-schema.ts';
import type { StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import type { MutationResult } from '../../../../api/semantics/admission/evaluate-mutation.ts';

/** The error for a mutation that cannot be applied. The policy's failurePolicy decides on the request. */
export class MutationError extends Error {
  override readonly name = 'MutationError';
}

/**
 * The object with a mutation applied, decoded and defaulted; the same object where a test of a JSON Patch fails.
 * @throws MutationError, and StatusError 500 for results that are no such object
 */
export function applyMutation(
  object: DeepReadonly<UntypedObject>,
  definition: ResourceDefinition,
  mutation: MutationResult,
  nowMs: number,
): DeepReadonly<UntypedObject> {
  if (mutation.kind === 'failed') throw new MutationError(mutation.error);
  const { apiVersion, kind } = object as { readonly apiVersion: string; readonly kind: string };
  const isOwn = kind === definition.names.kind;
  const schema = isOwn ? schemaOf(definition) : findKindSchema(apiVersion, kind);
  if (schema === undefined) throw new MutationError(`objects of ${apiVersion}, Kind=${kind} cannot be changed`);
  const changed = mutation.kind === 'patch' ? patch(object, mutation.operations) : merge(object, schema, mutation.configuration);
  if (changed === object) return object;
  const result = decodeStrictly({ ...(changed as object), apiVersion, kind }, schema);
  applyDefaults(result, schema, { nowMs });
  if (isOwn) definition.default?.(result);
  return result;
}

function patch(object: DeepReadonly<UntypedObject>, operations: readonly unknown[]): unknown {
  try {
    return applyJSONPatch(object, operations);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.message.startsWith('testing value ')) return object;
    throw new MutationError(`JSON Patch: ${error.message}`);
  }
}

function merge(object: DeepReadonly<UntypedObject>, own: StructuralSchema, configuration: Readonly<Record<string, unknown>>): unknown {
  const schema = rootSchema(own);
  const failure = (message: string) => new MutationError(`error applying patch: ${message}`);
  const problems = validateTyped(schema, configuration);
  if (problems.length > 0) throw failure(`failed to convert patch object to typed object: ${formatProblems(problems)}`);
  const atomics = findAtomics(schema, configuration);
  if (atomics.length > 0) throw failure(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`);
  return mergeValues(schema, object, configuration);
}

function decodeStrictly(object: object, schema: StructuralSchema): UntypedObject {
  try {
    const { object: decoded, unknownFields } = decode(object, schema);
    if (unknownFields.length > 0)
      throw internalError(`strict decoding error: ${unknownFields.map((field) => `unknown field "${field}"`).join(', ')}`);
    return decoded as UntypedObject;
  } catch (error) {
    if (error instanceof DecodeError) throw internalError(error.message);
    throw error;
  }
}

/** Replaces the content of an object that others refer to. */
export function replaceContent(object: UntypedObject, content: DeepReadonly<UntypedObject>): void {
  for (const key of Object.keys(object)) if (!Object.hasOwn(content, key)) delete object[key];
  Object.assign(object, content);
}
