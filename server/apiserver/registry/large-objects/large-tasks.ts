import { convertNow, type ConvertVersion, noOtherVersion } from '../../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { formatJSON } from '../../../../api/base/format-json.ts';
import { openAPIV3Document } from '../../../../api/extensions/openapi/open-api-of.ts';
import { publishedMembersOf } from '../../../../api/extensions/openapi/published-members.ts';
import { toDefinitions } from '../../../../api/extensions/to-definitions.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { unexpectedError } from '../../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { type AdmissionTask, performAdmissionTask } from '../../../../api/semantics/admission/admission-task.ts';
import type { AdmissionInput } from '../../../../api/semantics/admission/evaluate-expression.ts';
import { parseJSON, stringifyJSON } from '../../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../../api/serialization/protobuf/protobuf.ts';
import { formatListItem, type ItemNotation } from '../../../../api/serialization/format-list-item.ts';
import { formatYAML } from '../../../../api/serialization/yaml.ts';
import type { CustomResourceDefinition } from '../../../../api/types/apiextensions-v1.ts';
import { tooLargeMessage } from '../../../storage/request-size.ts';
import { evaluateCondition } from '../../authorization/match-conditions.ts';
import { decodeObject, type ExpectedKind, expectedKind } from '../../bodies/decode-object.ts';
import { createPatchChange } from '../../bodies/patch-change.ts';
import { encodeOpenAPI } from '../../../../api/serialization/openapi/encode-openapi.ts';
import type { ObjectCodec } from '../codec.ts';
import { createVersionConversion } from '../conversion/convert-version.ts';
import { toOwnJSON } from '../conversion/converting-codec.ts';
import { createObjectCodec } from '../object-codec.ts';
import { recordOwnership } from '../writes/record-ownership.ts';
import { checkChanged, checkNew, isUnchanged, prepareChanged, prepareNew } from '../writes/settle-object.ts';
import { storedDefinition } from '../stored-definition.ts';
import { type CustomSource, type LargeTask, type LargeTaskResult, maxObjectBytes, type ResourceKey } from './large-work.ts';

type TaskOf<K extends LargeTask['kind']> = Extract<LargeTask, { kind: K }>;

interface Resource {
  readonly definition: ResourceDefinition;
  readonly convert: ConvertVersion;
  readonly codec: ObjectCodec;
}

/** Custom kinds whose definitions are kept: those that were used last. */
const maxCustomResources = 50;

/** Does tasks on objects of the given kinds and of custom kinds, in the thread that calls it. Throws StatusErrors. */
export function createLargeTasks(definitions: readonly ResourceDefinition[], nowMs: () => number): (task: LargeTask) => LargeTaskResult {
  const resources = new Map<string, Resource>();
  const customResources = new Map<string, Resource>();
  const customOf = ({ version, custom }: ResourceKey & { readonly custom: CustomSource }): Resource => {
    const key = `${custom.id} ${version}`;
    let resource = customResources.get(key);
    customResources.delete(key);
    if (!resource) {
      const crd = parseJSON(custom.json.slice()).value as unknown as CustomResourceDefinition;
      const definition = toDefinitions(crd).find((one) => one.version === version);
      if (!definition) throw new Error(`${key} is not known`);
      resource = { definition, convert: createVersionConversion(definition, []), codec: createObjectCodec(definition, definition) };
    }
    customResources.set(key, resource);
    const [oldest] = customResources.keys();
    if (customResources.size > maxCustomResources && oldest !== undefined) customResources.delete(oldest);
    return resource;
  };
  const resourceOf = ({ custom, ...asked }: ResourceKey): Resource => {
    if (custom) return customOf({ ...asked, custom });
    const { group, version, plural } = asked;
    const key = `${group}/${version}/${plural}`;
    let resource = resources.get(key);
    if (!resource) {
      const definition = definitions.find((one) => one.group === group && one.version === version && one.names.plural === plural);
      if (!definition) throw new Error(`${key} is not known`);
      resource = {
        definition,
        convert: createVersionConversion(definition, definitions),
        codec: createObjectCodec(definition, storedDefinition(definition, definitions)),
      };
      resources.set(key, resource);
    }
    return resource;
  };
  return (task) => {
    switch (task.kind) {
      case 'read':
        return readBody(resourceOf(task.resource).definition, task);
      case 'decode':
        return decodeBody(task.expected, task);
      case 'own':
        return own(resourceOf(task.resource), task);
      case 'patch':
        return patch(resourceOf(task.resource), task);
      case 'encode':
        return { object: encode(resourceOf(task.resource), task), warnings: [] };
      case 'settle':
        return settle(resourceOf(task.resource), task);
      case 'expressions':
        return { object: evaluate(task, nowMs), warnings: [] };
      case 'condition':
        return { object: stringifyJSON(evaluateCondition(task.expression, task.request)), warnings: [] };
      case 'openapi-members': {
        const { paths, definitions } = publishedMembersOf(task.crd, task.version, task.parameters);
        return { object: encoder.encode(`${paths}\n${definitions}`), warnings: [] };
      }
      case 'openapi-document':
        return { object: encoder.encode(JSON.stringify(openAPIV3Document(task.published, task.template))), warnings: [] };
      case 'openapi-protobuf':
        return { object: encodeOpenAPI(task.spec, task.json), warnings: [] };
    }
  };
}

/** Tasks of expressions, by the task that came first: its compiled form is found by it. */
const knownTasks = new Map<string, AdmissionTask>();
const maxKnownTasks = 200;

function evaluate({ task, variables, answers }: TaskOf<'expressions'>, nowMs: () => number): Uint8Array {
  const text = JSON.stringify(task);
  const known = knownTasks.get(text);
  if (known === undefined) {
    const [oldest] = knownTasks.keys();
    if (knownTasks.size >= maxKnownTasks && oldest !== undefined) knownTasks.delete(oldest);
    knownTasks.set(text, task);
  }
  const { value } = parseJSON(variables, { keepFloats: true });
  const options = { slice: { left: Number.POSITIVE_INFINITY }, nowMs };
  return stringifyJSON(performAdmissionTask(known ?? task, { ...(value as Omit<AdmissionInput, 'answers'>), answers }, options));
}

const encoder = new TextEncoder();
const parse = (json: Uint8Array) => parseJSON(json).value as UntypedObject;

function decodeBody(expected: ExpectedKind, task: TaskOf<'read'> | TaskOf<'decode'>): LargeTaskResult {
  const { object, warnings } = decodeWithWarnings(expected, task);
  return { object: stringifyJSON(object), warnings };
}

function decodeWithWarnings(expected: ExpectedKind, { body, contentType, nowMs, fieldValidation }: TaskOf<'read'> | TaskOf<'decode'>) {
  const warnings: string[] = [];
  const addWarning = (text: string) => warnings.push(text);
  return { object: decodeObject({ body, contentType, nowMs, addWarning }, expected, fieldValidation), warnings };
}

function readBody(definition: ResourceDefinition, task: TaskOf<'read'>): LargeTaskResult {
  const { object, warnings } = decodeWithWarnings(expectedKind(definition), task);
  if (task.ownership) convertNow(recordOwnership(definition, object, undefined, task.ownership, task.nowMs), noOtherVersion);
  return { object: boundedJSON(definition, object, task.nowMs), warnings };
}

function own({ definition, convert }: Resource, task: TaskOf<'own'>): LargeTaskResult {
  const object = parse(task.object);
  convertNow(recordOwnership(definition, object, parse(task.live), task.ownership, task.nowMs), convert);
  return { object: boundedJSON(definition, object, task.nowMs), warnings: [] };
}

function patch({ definition, convert }: Resource, task: TaskOf<'patch'>): LargeTaskResult {
  const warnings: string[] = [];
  const live = task.live && parse(task.live);
  const change = createPatchChange(definition, task.patch, { nowMs: task.nowMs, addWarning: (text) => warnings.push(text) });
  const object = convertNow(change(live as DeepReadonly<UntypedObject> | undefined), convert);
  if (task.ownership) convertNow(recordOwnership(definition, object, live, task.ownership, task.nowMs), convert);
  return { object: boundedJSON(definition, object, task.nowMs), warnings };
}

/**
 * JSON of an object that may still be stored. The managedFields of an object that is too large for the store may be dropped, as in a write;
 * otherwise it is refused for a violated rule of its kind, or else for its size.
 */
function boundedJSON(definition: ResourceDefinition, object: UntypedObject, nowMs: number): Uint8Array {
  const json = stringifyJSON(object);
  if (json.length <= maxObjectBytes) return json;
  const { managedFields: _, ...metadata } = object.metadata;
  const rest = { ...object, metadata } as UntypedObject;
  const smaller = stringifyJSON(rest);
  if (smaller.length <= maxObjectBytes) return smaller;
  if (definition.scope === 'Namespaced') rest.metadata.namespace ??= 'default';
  const user = { name: '', groups: [] };
  checkNew(definition, rest, rest.metadata.name ?? '', { nowMs, operation: 'create', subresource: '', user });
  throw unexpectedError(tooLargeMessage);
}

function encode({ codec }: Resource, { object: json, format }: TaskOf<'encode'>): Uint8Array {
  const object = parse(json);
  switch (format) {
    case 'application/vnd.kubernetes.protobuf':
      return encodeProtobuf(object, codec.schema);
    case 'application/yaml':
      return encoder.encode(formatYAML(object));
    case 'pretty':
      return encoder.encode(formatJSON(object, 2));
    default: {
      const { kind: _kind, apiVersion: _version, ...item } = object;
      return encoder.encode(formatListItem(item, format.slice('item:'.length) as ItemNotation));
    }
  }
}

function settle({ definition, codec }: Resource, task: TaskOf<'settle'>): LargeTaskResult {
  const { strategy, steps, name } = task;
  const object = parse(task.object);
  const live = task.live && (parse(task.live) as DeepReadonly<UntypedObject>);
  if (steps !== 'check') {
    if (live) prepareChanged(definition, object, live, strategy);
    else prepareNew(definition, object, strategy, { uuid: () => task.uid });
    if (steps === 'prepare') return { object: stringifyJSON(object), warnings: [] };
  }
  const warnings = live ? checkChanged(definition, object, live, strategy) : checkNew(definition, object, name, strategy);
  return {
    object: stringifyJSON(object),
    // Only the main thread calls a webhook: it converts the object where another version is stored.
    stored: definition.conversionWebhook ? toOwnJSON(object, codec.schema) : codec.toStored(object),
    isUnchanged: live !== undefined && isUnchanged(object, live),
    warnings,
  };
}
