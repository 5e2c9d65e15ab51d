import { applyPatch } from '../../../api/apply/apply-patch.ts';
import type { AppliedObject } from '../../../api/apply/update-managed-fields.ts';
import { type Converting, withoutConversions } from '../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, notFound, unsupportedMediaType } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { formatGoValue } from '../../../api/patch/go-value.ts';
import { patchObject } from '../../../api/patch/patch-object.ts';
import { shapeProblem } from '../../../api/patch/patch-shape.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../api/resource/schema-of.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import type { FieldValidation } from '../../../api/serialization/read-object.ts';
import { parseYAML, YAMLSyntaxError } from '../../../api/serialization/yaml.ts';
import { resetFieldsOf } from './reset-fields.ts';
import { type DecodingContext, decodePatched, expectedKind } from './decode-object.ts';
import type { PatchType } from '../../../api/patch/patch-type.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/** A patch as it was sent. */
export interface PatchRequest {
  /** Media type without parameters. */
  readonly type: string;
  readonly body: Uint8Array;
  /** The name of the object, from the path. */
  readonly name: string;
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  readonly force: boolean;
  readonly subresource: string;
}

type PatchContext = Pick<DecodingContext, 'nowMs' | 'addWarning'>;

const applyType = 'application/apply-patch+yaml';
const strategicType = 'application/strategic-merge-patch+json';
const patchTypes: readonly PatchType[] = ['application/json-patch+json', 'application/merge-patch+json', strategicType];

function isPatchType(type: string): type is PatchType {
  return patchTypes.some((known) => known === type);
}

type Change = (old: DeepReadonly<UntypedObject> | undefined) => Converting<UntypedObject>;

/** Whether the patch is a configuration for server-side apply. */
export function isApplyType(type: string): boolean {
  return type === applyType;
}

/** The types of patches that a kind takes: custom kinds have no strategies to merge by. */
export function patchTypesOf({ schema }: Pick<ResourceDefinition, 'schema'>): readonly string[] {
  return [...patchTypes.filter((type) => type !== strategicType || schema === undefined), applyType];
}

/** Throws 415 for another content type. */
export function checkPatchType(definition: Pick<ResourceDefinition, 'schema'>, type: string): void {
  const types = patchTypesOf(definition);
  if (!types.includes(type)) throw unsupportedMediaType(types);
}

/** The change that a patch makes. Throws 400 if it cannot be parsed; the change itself throws if the patch does not fit the object. */
export function createPatchChange(definition: ResourceDefinition, request: PatchRequest, context: PatchContext): Change {
  return isPatchType(request.type) ? patching(definition, request, context, request.type) : applying(definition, request, context);
}

function patching(definition: ResourceDefinition, request: PatchRequest, context: PatchContext, type: PatchType): Change {
  const { fieldValidation, name } = request;
  const patch = parsePatch(
    request.body,
    (body) => parseJSON(body, { findDuplicates: true }),
    (problem) => unreadablePatch(type, fieldValidation, problem),
  );
  const misshapen = fieldValidation === 'Ignore' ? undefined : shapeProblem(type, patch.value);
  const schema = schemaOf(definition);
  const problems = patch.duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`);
  const change = (old: DeepReadonly<UntypedObject> | undefined): UntypedObject => {
    if (!old) throw notFound(definition, name);
    if (misshapen !== undefined) throw badRequest(`error decoding patch: ${misshapen}`);
    const isStrategic = type === strategicType;
    const result = patchObject({ type, object: old as JSONObject, patch: patch.value, schema });
    // A kind that such a patch sets is ignored.
    const patched = isStrategic && isJSONObject(result) ? { ...result, apiVersion: old.apiVersion, kind: old.kind } : result;
    const shown = () => (isStrategic ? formatGoValue(patch.value) : formatJSON(patched));
    const object = decodePatched(patched, expectedKind(definition), context, {
      fieldValidation,
      problems,
      shown,
      reader: isStrategic ? 'unstructured' : 'json',
    });
    checkName(object, name);
    return object;
  };
  return (old) => withoutConversions(() => change(old));
}

function applying(definition: ResourceDefinition, request: PatchRequest, context: PatchContext): Change {
  const { fieldValidation, name, fieldManager, force, subresource } = request;
  const applied = parseApplied(request.body, fieldValidation, context);
  const schema = schemaOf(definition);
  return function* (old) {
    const merged = yield* applyPatch({
      schema,
      apiVersion: apiVersionOf(definition),
      kind: definition.names.kind,
      live: old as unknown as AppliedObject | undefined,
      applied,
      manager: fieldManager,
      force,
      subresource,
      resetFields: resetFieldsOf(definition, subresource),
      now: formatTime(context.nowMs),
    });
    const shown = () => formatJSON(applied);
    const object = decodePatched(merged, expectedKind(definition), context, {
      fieldValidation,
      problems: [],
      shown,
    });
    object.metadata.name ??= name;
    checkName(object, name);
    return object;
  };
}

/** Parses an applied configuration; an empty one is an object without fields. */
function parseApplied(body: Uint8Array, fieldValidation: FieldValidation, { addWarning }: PatchContext): Readonly<Record<string, unknown>> {
  try {
    const parsed = parseYAML(body, { maxDepth: 1000, findDuplicates: fieldValidation !== 'Ignore' });
    if (parsed.duplicateProblem !== undefined) tellDuplicates(parsed.duplicateProblem, fieldValidation, addWarning);
    const value = parsed.value ?? {};
    if (isJSONObject(value)) return value;
    const problem = `json: cannot unmarshal ${typeNameOf(value)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${problem}`);
  } catch (error) {
    if (error instanceof YAMLSyntaxError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

/** Refuses repeated keys of a configuration, or warns of each. */
function tellDuplicates(problem: string, fieldValidation: FieldValidation, addWarning: PatchContext['addWarning']): void {
  if (fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${problem}`);
  for (const line of problem.split('\n').slice(1)) addWarning(line.trim());
}

function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function parsePatch<T>(body: Uint8Array, parse: (body: Uint8Array) => T, describe: (problem: string) => string): T {
  if (body.length === 0) throw badRequest(describe('unexpected end of JSON input'));
  try {
    return parse(body);
  } catch (error) {
    if (error instanceof JSONSyntaxError || error instanceof YAMLSyntaxError) throw badRequest(describe(error.message));
    throw error;
  }
}

/** The error for a patch that is not JSON, in the words of the upstream parser for its type. */
function unreadablePatch(type: PatchType, fieldValidation: FieldValidation, problem: string): string {
  if (type === strategicType) return problem;
  if (fieldValidation !== 'Ignore') return `error decoding patch: ${problem}`;
  return type === 'application/merge-patch+json' ? 'Invalid JSON Patch' : problem;
}

/** Throws 400 where an object has another name than its path. */
export function checkName(object: UntypedObject, name: string): void {
  const own = object.metadata.name ?? '';
  if (own === '') throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
}
