import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../../api/base/equality.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { invalid } from '../../../../api/meta/status-errors.ts';
import type { ResourceDefinition, StrategyContext } from '../../../../api/resource/resource-definition.ts';
import { applyDefaults } from '../../../../api/schema/default.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import type { FieldError } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { validateFinalizerOwners, validateObjectMeta, validateObjectMetaUpdate } from '../../../../api/meta/object-meta.ts';
import { keepServerOwned, prepareForCreate, prepareForUpdate } from './prepare-object.ts';

/** The steps of a write between mutating and validating admission. All are pure but for the object, which they modify. */

/** Applies defaults, also to fields that admission plugins have added; then the fields that only the server sets. */
export function prepareNew(
  definition: ResourceDefinition,
  object: UntypedObject,
  strategy: StrategyContext,
  random: Pick<Random, 'uuid'>,
): void {
  const schema = schemaOf(definition);
  applyDefaults(object, schema, { nowMs: strategy.nowMs });
  prepareForCreate(definition, schema, object, strategy, random);
}

/** Throws the 422 that lists all errors. Returns the warnings. */
export function checkNew(
  definition: ResourceDefinition,
  object: UntypedObject,
  name: string,
  strategy: StrategyContext,
): readonly string[] {
  const path = FieldPath.root;
  refuseInvalid(definition, name, [
    ...validateObjectMeta(object.metadata, definition.scope === 'Namespaced', definition.nameRule, path.child('metadata')),
    ...validateFinalizers(definition, object),
    ...(definition.validate?.(object, path, strategy) ?? []),
  ]);
  const warnings = definition.warnings?.(object, undefined) ?? [];
  definition.canonicalize?.(object);
  // The status that a request has brought is gone; that of a custom kind may have defaults.
  if (definition.schema) applyDefaults(object, schemaOf(definition), { nowMs: strategy.nowMs });
  return warnings;
}

export interface ChangeStrategy extends StrategyContext {
  /** See UpdateOptions. */
  readonly bypassesStrategy: boolean;
}

export function prepareChanged(
  definition: ResourceDefinition,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject>,
  strategy: ChangeStrategy,
): void {
  if (strategy.bypassesStrategy) keepServerOwned(object.metadata, old.metadata);
  else prepareForUpdate(definition, object, old, strategy);
}

/** Throws the 422 that lists all errors. Returns the warnings. */
export function checkChanged(
  definition: ResourceDefinition,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject>,
  strategy: ChangeStrategy,
): readonly string[] {
  if (strategy.bypassesStrategy) return [];
  const path = FieldPath.root;
  const isStatus = strategy.subresource === 'status';
  const own = isStatus
    ? (definition.validateStatusUpdate?.(object, old, path, strategy) ?? [])
    : validateMain(definition, object, old, strategy);
  refuseInvalid(definition, object.metadata.name ?? '', [
    ...validateObjectMetaUpdate(object.metadata, old.metadata, path.child('metadata')),
    ...validateFinalizers(definition, object),
    ...own,
  ]);
  // The content of a status is the controller's business, and the rest has been warned of before.
  const warnings = isStatus ? [] : (definition.warnings?.(object, old) ?? []);
  definition.canonicalize?.(object);
  return warnings;
}

function validateMain(
  definition: ResourceDefinition,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject>,
  strategy: StrategyContext,
): FieldError[] {
  const path = FieldPath.root;
  // An update of a custom object validates the whole object, together with the old one.
  if (definition.schema && definition.validateUpdate) return definition.validateUpdate(object, old, path, strategy);
  const own = definition.validate?.(object, path, strategy) ?? [];
  return [...own, ...(definition.tellsTwice ? own : []), ...(definition.validateUpdate?.(object, old, path, strategy) ?? [])];
}

/** Whether only the times of managed fields would change, so that nothing is written. */
export function isUnchanged(object: UntypedObject, old: DeepReadonly<UntypedObject>): boolean {
  const { metadata, ...rest } = object;
  const { metadata: oldMetadata, ...oldRest } = old;
  const { managedFields, ...own } = metadata;
  const { managedFields: oldManagedFields, ...oldOwn } = oldMetadata;
  // The fields that change most are compared first.
  return isEqual(own, oldOwn) && isEqual(withoutTimes(managedFields), withoutTimes(oldManagedFields)) && isEqual(rest, oldRest);
}

function withoutTimes(entries: DeepReadonly<UntypedObject>['metadata']['managedFields']): unknown {
  return entries?.map(({ time: _, ...entry }) => entry);
}

/** Throws the 422 that lists all errors. */
export function refuseInvalid({ group, storageVersion, names }: ResourceDefinition, name: string, errors: readonly FieldError[]): void {
  // Rules are those of the stored kind, whatever group it was written by.
  if (errors.length > 0) throw invalid({ group: storageVersion?.group ?? group, kind: names.kind }, name, errors);
}

/** Groups whose servers, like that of custom kinds, are others than that of Kubernetes itself, and do not ask whose a finalizer is. */
const freeFinalizerGroups = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);

function validateFinalizers({ group, origin }: ResourceDefinition, { metadata }: DeepReadonly<UntypedObject>): FieldError[] {
  return origin !== undefined || freeFinalizerGroups.has(group)
    ? []
    : validateFinalizerOwners(metadata.finalizers, FieldPath.root.child('metadata', 'finalizers'));
}
