import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { findTime, formatTime } from '../../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import type { ObjectMeta } from '../../../../api/types/meta-v1.ts';
import type { DeleteOptions } from './write-context.ts';

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

/**
 * The effect of a DELETE: 'remove' at once, 'mark' the object as terminating with this metadata, or 'wait': it is terminating
 * already and nothing changes.
 */
type DeletionPlan =
  | { readonly kind: 'remove' }
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'mark';
      readonly metadata: ObjectMeta /** Further fields that change with it. */;
      readonly fields?: Readonly<Record<string, unknown>>;
    };

/** Decides by finalizers, grace and propagation, as upstream's generic registry. Pure. */
export function planDeletion(
  definition: ResourceDefinition,
  object: DeepReadonly<UntypedObject>,
  options: DeleteOptions,
  nowMs: number,
): DeletionPlan {
  const old = object.metadata as DeepReadonly<ObjectMeta>;
  const prepared = old.deletionTimestamp ? undefined : definition.prepareForDelete?.(object, nowMs);
  const finalizers = [...new Set([...finalizersAfter(definition, old.finalizers ?? [], options), ...(prepared?.finalizers ?? [])])];
  const grace = planGrace(definition, object, options, nowMs);
  if (grace.seconds === 0 && finalizers.length === 0 && !hasContent(definition, object)) return { kind: 'remove' };
  const hasNewFinalizers =
    finalizers.length !== (old.finalizers ?? []).length || finalizers.some((name) => !old.finalizers?.includes(name));
  if (old.deletionTimestamp && !hasNewFinalizers && !grace.changed) return { kind: 'wait' };
  const metadata = cloneJSON(old) as ObjectMeta;
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (!old.deletionTimestamp || grace.changed) {
    metadata.deletionTimestamp = formatTime(grace.endMs);
    metadata.deletionGracePeriodSeconds = grace.seconds;
    if (!old.deletionTimestamp && (old.generation ?? 0) > 0) metadata.generation = (old.generation ?? 0) + 1;
  }
  if (!isNamespace(definition)) return { kind: 'mark', metadata, ...(prepared ? { fields: prepared.fields } : {}) };
  delete metadata.deletionGracePeriodSeconds;
  return { kind: 'mark', metadata, fields: { status: { ...asRecord(object['status']), phase: 'Terminating' } } };
}

function isNamespace({ group, names }: ResourceDefinition): boolean {
  return group === '' && names.plural === 'namespaces';
}

/** A Namespace stays until the finalizers of its spec say that it is empty. */
function hasContent(definition: ResourceDefinition, object: DeepReadonly<UntypedObject>): boolean {
  if (!isNamespace(definition)) return false;
  const { finalizers } = asRecord(object['spec']);
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

interface Grace {
  readonly seconds: number;
  readonly endMs: number;
  readonly changed: boolean;
}

/** Grace can only be shortened once it runs. */
function planGrace(definition: ResourceDefinition, object: DeepReadonly<UntypedObject>, options: DeleteOptions, nowMs: number): Grace {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  const isGraceful = definition.gracePeriodSeconds !== undefined;
  const wanted = isGraceful ? (definition.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0) : 0;
  if (!deletionTimestamp) return { seconds: wanted, endMs: nowMs + wanted * 1000, changed: false };
  const current = deletionGracePeriodSeconds ?? 0;
  const startMs = (findTime(deletionTimestamp) ?? nowMs) - current * 1000;
  if (!isGraceful || current === 0) return { seconds: current, endMs: startMs, changed: false };
  if (options.gracePeriodSeconds === undefined || wanted >= current)
    return { seconds: current, endMs: startMs + current * 1000, changed: false };
  return { seconds: wanted, endMs: startMs + wanted * 1000, changed: true };
}

function finalizersAfter(definition: ResourceDefinition, present: readonly string[], options: DeleteOptions): string[] {
  const others = present.filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);
  if (options.propagationPolicy === 'Orphan' || options.orphanDependents === true) return [...others, orphanFinalizer];
  if (options.propagationPolicy === 'Foreground') return [...others, foregroundFinalizer];
  if (options.propagationPolicy === 'Background' || options.orphanDependents === false) return others;
  if (present.includes(orphanFinalizer) || (definition.defaultGarbageCollection === 'orphan' && !present.includes(foregroundFinalizer)))
    return [...others, orphanFinalizer];
  return [...present];
}

/** Whether a terminating object has nothing left to wait for. */
export function isDeletable(definition: ResourceDefinition, object: DeepReadonly<UntypedObject>): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  if (!deletionTimestamp || finalizers.length > 0 || hasContent(definition, object)) return false;
  return (deletionGracePeriodSeconds ?? 0) === 0;
}
