import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../../api/base/equality.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { Random } from '../../../../api/base/random.ts';
import { randomInt } from '../../../../api/base/random.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { formatTime } from '../../../../api/meta/time.ts';
import type { ResourceDefinition, StrategyContext } from '../../../../api/resource/resource-definition.ts';
import { decode } from '../../../../api/schema/decode.ts';
import type { StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import type { ObjectMeta } from '../../../../api/types/meta-v1.ts';

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxGeneratedPrefix = 63 - suffixLength;

/** A name from metadata.generateName: the prefix, cut so that the whole fits into 63 characters, and five random ones. */
export function generateName(prefix: string, random: Random): string {
  let suffix = '';
  for (let at = 0; at < suffixLength; at++) suffix += suffixAlphabet[randomInt(random, suffixAlphabet.length)];
  return prefix.slice(0, maxGeneratedPrefix) + suffix;
}

/** Fields that only the server sets, on a new object. Modifies. */
export function prepareForCreate(
  definition: ResourceDefinition,
  schema: StructuralSchema,
  object: UntypedObject,
  context: StrategyContext,
  random: Pick<Random, 'uuid'>,
): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  metadata.uid = random.uuid();
  metadata.creationTimestamp = formatTime(context.nowMs);
  if (definition.hasGeneration) metadata.generation = 1;
  if (definition.subresources['status'] && !definition.keepsStatusOnCreate) resetStatus(object, schema);
  definition.prepareForCreate?.(object, context);
}

function resetStatus(object: UntypedObject, schema: StructuralSchema): void {
  const property = schema.properties?.get('status');
  if (!property) return;
  if (property.pointer) delete object['status'];
  else object['status'] = decode({}, property.schema).object;
}

/** Through these the status is written, and nothing but the status. */
const statusSubresources: ReadonlySet<string> = new Set(['status', 'approval']);

/** Fields that the request cannot change take their old values; generation counts changes of what is not status. Modifies. */
export function prepareForUpdate(
  definition: ResourceDefinition,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject>,
  context: StrategyContext,
): void {
  keepServerOwned(object.metadata, old.metadata);
  if (definition.subresources['status'] !== undefined) {
    if (!statusSubresources.has(context.subresource)) keepField(object, old, 'status');
    else {
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== 'status' && field !== 'metadata' && field !== 'kind' && field !== 'apiVersion') keepField(object, old, field);
      }
    }
  }
  if (definition.schema && context.subresource === 'status') keepCustomMetadata(object, old);
  definition.prepareForUpdate?.(object, old, context);
  if (definition.hasGeneration && !statusSubresources.has(context.subresource)) {
    if (isGenerationChanged(definition, object, old)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
}

function isGenerationChanged({ generationFields }: ResourceDefinition, object: UntypedObject, old: DeepReadonly<UntypedObject>): boolean {
  if (generationFields !== 'all') return generationFields.some((field) => !isEqual(object[field], old[field]));
  const { metadata: _, ...own } = object;
  const { metadata: _old, ...oldOwn } = old;
  return !isEqual(own, oldOwn);
}

/** A write to the status of a custom object changes nothing else, labels and annotations included. */
function keepCustomMetadata({ metadata }: UntypedObject, old: DeepReadonly<UntypedObject>): void {
  const { managedFields, resourceVersion } = metadata;
  for (const field of Object.keys(metadata)) delete metadata[field as keyof ObjectMeta];
  Object.assign(metadata, cloneJSON(old.metadata), managedFields ? { managedFields } : {}, resourceVersion ? { resourceVersion } : {});
  if (!managedFields) delete metadata.managedFields;
  if (!resourceVersion) delete metadata.resourceVersion;
}

/** Keeps the old values of fields that an update does not set, or cannot set. Modifies. */
export function keepServerOwned(metadata: ObjectMeta, old: DeepReadonly<ObjectMeta>): void {
  keepMetadata(metadata, old, 'generation');
  if (old.creationTimestamp) keepMetadata(metadata, old, 'creationTimestamp');
  if (old.deletionTimestamp) keepMetadata(metadata, old, 'deletionTimestamp');
  if (typeof metadata.deletionGracePeriodSeconds !== 'number') keepMetadata(metadata, old, 'deletionGracePeriodSeconds');
  if (!metadata.uid) keepMetadata(metadata, old, 'uid');
}

function keepMetadata(metadata: ObjectMeta, old: DeepReadonly<ObjectMeta>, field: keyof ObjectMeta): void {
  if (old[field] === undefined || old[field] === null) delete metadata[field];
  else Object.assign(metadata, { [field]: old[field] });
}

function keepField(object: UntypedObject, old: DeepReadonly<UntypedObject>, field: string): void {
  if (old[field] === undefined) delete object[field];
  else object[field] = cloneJSON(old[field]);
}
