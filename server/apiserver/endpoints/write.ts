import type { APIResponse } from '../../../api/client/transport.ts';
import { applyPatch } from '../../../api/apply/apply-patch.ts';
import type { AppliedObject } from '../../../api/apply/update-managed-fields.ts';
import { formatGoValue } from '../../../api/patch/go-value.ts';
import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, notFound, unsupportedMediaType } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { type PatchType, patchObject } from '../../../api/patch/patch-object.ts';
import { shapeProblem } from '../../../api/patch/patch-shape.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import { formatJSON, parseJSON } from '../../../api/serialization/json.ts';
import type { FieldValidation } from '../../../api/serialization/read-object.ts';
import { parseYAML, YAMLSyntaxError } from '../../../api/serialization/yaml.ts';
import { resetFieldsOf } from '../registry/reset-fields.ts';
import type { Store, Written } from '../registry/store.ts';
import type { RequestContext } from '../request-context.ts';
import { decodePatched, decodeRequestObject, expectedKind } from './decode-object.ts';
import { negotiateObject, objectResponse } from './object-response.ts';
import { parseWriteOptions, type WriteOptions } from './write-options.ts';

/** POST to a collection. */
export async function createEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'CreateOptions');
  const object = decodeRequestObject(context, expectedKind(store.definition), options.fieldValidation);
  const written = await store.create(object, context.info.namespace, options);
  return writtenResponse(context, store, written, 201);
}

/** PUT of an object or its status. */
export async function updateEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'UpdateOptions');
  const body = decodeRequestObject(context, expectedKind(store.definition), options.fieldValidation);
  checkName(body, context.info.name);
  const { namespace, name } = context.info;
  let isUsed = false;
  const change = () => {
    // The first attempt takes the object as it is, and changes it; later ones read the body again.
    if (isUsed) return decodeRequestObject(context, expectedKind(store.definition), options.fieldValidation);
    isUsed = true;
    return body;
  };
  const written = await store.update({ namespace, name }, { ...options, change });
  return writtenResponse(context, store, written, written.created ? 201 : 200);
}

const applyType = 'application/apply-patch+yaml';
const strategicType = 'application/strategic-merge-patch+json';
const patchTypes: readonly PatchType[] = ['application/json-patch+json', 'application/merge-patch+json', strategicType];

function isPatchType(type: string): type is PatchType {
  return patchTypes.some((known) => known === type);
}

/** PATCH of an object or its status, in any of the four formats. */
export async function patchEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const type = (context.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const isApply = type === applyType;
  if (!isApply && !isPatchType(type)) throw unsupportedMediaType([...patchTypes, applyType]);
  const options = parseWriteOptions(context, 'PatchOptions', isApply);
  const { namespace, name } = context.info;
  const change = isPatchType(type) ? patching(context, store, options, type) : applying(context, store, options);
  const written = await store.update(
    { namespace, name },
    {
      ...options,
      change,
      isPatch: !isApply,
      ...(isApply ? { keepsManagedFields: true, createIfMissing: options.subresource === '' } : {}),
    },
  );
  return writtenResponse(context, store, written, written.created ? 201 : 200);
}

type Change = (old: DeepReadonly<UntypedObject> | undefined) => UntypedObject;

function patching(context: RequestContext, store: Store, options: WriteOptions, type: PatchType): Change {
  const { definition } = store;
  const patch = parsePatch(
    context,
    (body) => parseJSON(body, { findDuplicates: true }),
    (problem) => unreadablePatch(type, options.fieldValidation, problem),
  );
  const misshapen = options.fieldValidation === 'Ignore' ? undefined : shapeProblem(type, patch.value);
  const schema = getDefinitionSchema(definition.definition);
  const problems = patch.duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`);
  return (old) => {
    if (!old) throw notFound(definition, context.info.name);
    if (misshapen !== undefined) throw badRequest(`error decoding patch: ${misshapen}`);
    const isStrategic = type === strategicType;
    const result = patchObject({ type, object: old as JSONObject, patch: patch.value, schema });
    // Whatever such a patch makes of its kind is not looked at.
    const patched = isStrategic && isJSONObject(result) ? { ...result, apiVersion: old.apiVersion, kind: old.kind } : result;
    const shown = () => (isStrategic ? formatGoValue(patch.value) : formatJSON(patched));
    const object = decodePatched(patched, expectedKind(definition), context, {
      fieldValidation: options.fieldValidation,
      problems,
      shown,
      reader: isStrategic ? 'unstructured' : 'json',
    });
    checkName(object, context.info.name);
    return object;
  };
}

function applying(context: RequestContext, store: Store, options: WriteOptions): Change {
  const { definition } = store;
  const applied = parseApplied(context);
  const schema = getDefinitionSchema(definition.definition);
  return (old) => {
    const merged = applyPatch({
      schema,
      apiVersion: apiVersionOf(definition),
      kind: definition.names.kind,
      live: old as unknown as AppliedObject | undefined,
      applied,
      manager: options.fieldManager,
      force: options.force,
      subresource: options.subresource,
      resetFields: resetFieldsOf(definition, options.subresource),
      now: formatTime(context.clock.nowMs()),
    });
    const shown = () => formatJSON(applied);
    const object = decodePatched(merged, expectedKind(definition), context, {
      fieldValidation: options.fieldValidation,
      problems: [],
      shown,
    });
    object.metadata.name ??= context.info.name;
    checkName(object, context.info.name);
    return object;
  };
}

/** What is applied; nothing is an object without fields. */
function parseApplied({ request: { body = new Uint8Array(0) } }: RequestContext): Readonly<Record<string, unknown>> {
  try {
    const value = parseYAML(body, { maxDepth: 1000 }).value ?? {};
    if (isJSONObject(value)) return value;
    const problem = `json: cannot unmarshal ${typeNameOf(value)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${problem}`);
  } catch (error) {
    if (error instanceof YAMLSyntaxError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function parsePatch<T>(context: RequestContext, parse: (body: Uint8Array) => T, describe: (problem: string) => string): T {
  const { body } = context.request;
  if (body === undefined || body.length === 0) throw badRequest(describe('unexpected end of JSON input'));
  try {
    return parse(body);
  } catch (error) {
    if (error instanceof JSONSyntaxError || error instanceof YAMLSyntaxError) throw badRequest(describe(error.message));
    throw error;
  }
}

/** What is said of a patch that is no JSON: each of upstream's readers has its own words. */
function unreadablePatch(type: PatchType, fieldValidation: FieldValidation, problem: string): string {
  if (type === strategicType) return problem;
  if (fieldValidation !== 'Ignore') return `error decoding patch: ${problem}`;
  return type === 'application/merge-patch+json' ? 'Invalid JSON Patch' : problem;
}

function checkName(object: UntypedObject, name: string): void {
  const own = object.metadata.name ?? '';
  if (own === '') throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
}

export function writtenResponse(context: RequestContext, store: Store, written: Written, status: number): APIResponse {
  return objectResponse(
    context,
    store.definition,
    { json: () => written.json, read: () => written.object as DeepReadonly<UntypedObject> },
    status,
  );
}
