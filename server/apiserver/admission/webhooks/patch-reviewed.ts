import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { quote } from '../../../../api/base/quote.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { internalError } from '../../../../api/meta/status-errors.ts';
import { jsonPatchSteps } from '../../../../api/patch/json-patch.ts';
import { PatchError } from '../../../../api/patch/patch-error.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import { DecodeError } from '../../../../api/schema/decode-error.ts';
import { decode } from '../../../../api/schema/decode.ts';
import { applyDefaults } from '../../../../api/schema/default.ts';
import { findKindSchema } from '../../../../api/schema/definition-schema.ts';
import type { StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import { parseJSON } from '../../../../api/serialization/json.ts';
import { JSONSyntaxError } from '../../../../api/serialization/json-parser.ts';
import type { AdmissionDependencies } from '../admission.ts';
import { countTokens, maxTokens } from '../../webhooks/count-tokens.ts';

export interface PatchedObject {
  /** Decoded and defaulted. */
  readonly object: UntypedObject;
  readonly isChanged: boolean;
  /** The operations, for the audit log. */
  readonly patch: readonly unknown[];
}

type PatchDependencies = Pick<AdmissionDependencies, 'clock' | 'nextTurn'>;

/** How long operations of a patch go on before others have their turn. */
const turnMs = 10;

/**
 * Applies the JSON patch of a webhook to a copy of the object. Undefined: the patch has no operations. Throws a StatusError
 * 500 with the message of a kube-apiserver.
 */
export async function patchReviewed(
  webhook: string,
  patchBase64: string,
  object: UntypedObject | undefined,
  definition: ResourceDefinition,
  dependencies: PatchDependencies,
): Promise<PatchedObject | undefined> {
  const patch = readPatch(Buffer.from(patchBase64, 'base64'));
  if (Array.isArray(patch) && patch.length === 0) return undefined;
  if (!object)
    throw internalError(`admission webhook ${quote(webhook)} attempted to modify the object, which is not supported for this operation`);
  try {
    const patched = await applyInTurns(object, patch, dependencies);
    await dependencies.nextTurn();
    const { apiVersion, kind } = object as { readonly apiVersion?: unknown; readonly kind?: unknown };
    const result = decodePatched(patched, { apiVersion: String(apiVersion), kind: String(kind) }, definition);
    const isChanged = !isSemanticallyEqual(result.object, object);
    if (result.schema) applyDefaults(result.object, result.schema, { nowMs: dependencies.clock.nowMs() });
    if (result.schema && kind === definition.names.kind) definition.default?.(result.object);
    return { object: result.object, isChanged, patch: patch as readonly unknown[] };
  } catch (error) {
    if (error instanceof PatchError || error instanceof DecodeError) throw internalError(error.message);
    throw error;
  }
}

function readPatch(json: Uint8Array): unknown {
  if (countTokens(json) > maxTokens) throw internalError(`the patch has more than ${maxTokens} values`);
  try {
    const { value } = parseJSON(json, { keepFloats: true });
    return value ?? [];
  } catch (error) {
    if (error instanceof JSONSyntaxError) throw internalError(error.message);
    throw error;
  }
}

async function applyInTurns(object: UntypedObject, patch: unknown, { clock, nextTurn }: PatchDependencies): Promise<unknown> {
  const steps = jsonPatchSteps(object, patch);
  let untilMs = clock.monotonicMs() + turnMs;
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (clock.monotonicMs() < untilMs) continue;
    await nextTurn();
    untilMs = clock.monotonicMs() + turnMs;
  }
}

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Reads the patched object by the schema of its kind: that of the resource, or of a subresource's objects. */
function decodePatched(
  patched: unknown,
  kind: Kind,
  definition: ResourceDefinition,
): { readonly object: UntypedObject; readonly schema: StructuralSchema | undefined } {
  const isOwn = kind.kind === definition.names.kind;
  const schema = isOwn ? schemaOf(definition) : findKindSchema(kind.apiVersion, kind.kind);
  const found = (patched ?? {}) as Partial<Kind>;
  // A kind that was taken out counts as unchanged.
  const [apiVersion, name] = [found.apiVersion || kind.apiVersion, found.kind || kind.kind];
  if (name !== kind.kind || apiVersion !== kind.apiVersion) throw internalError(describeOtherKind({ apiVersion, kind: name }, kind));
  // Options of connections have no schema.
  if (!schema) return { object: patched as UntypedObject, schema: undefined };
  const { object } = decode(patched, schema);
  return { object: { ...object, ...kind, metadata: object['metadata'] ?? {} } as UntypedObject, schema };
}

function describeOtherKind({ apiVersion, kind }: Kind, wanted: Kind): string {
  if (findKindSchema(wanted.apiVersion, wanted.kind) && !findKindSchema(apiVersion, kind))
    return `no kind ${quote(kind)} is registered for version ${quote(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  return `the patched object is of kind ${apiVersion}, ${kind}, which does not match the expected ${wanted.apiVersion}, ${wanted.kind}`;
}

/** Makes an object that others refer to one of that content. */
export function replaceContent(object: UntypedObject, content: UntypedObject): void {
  for (const key of Object.keys(object)) if (!Object.hasOwn(content, key)) delete object[key];
  Object.assign(object, content);
}
