import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { ObjectKey, UntypedObject } from '../../../../api/meta/object.ts';
import { conflict, invalid, notFound } from '../../../../api/meta/status-errors.ts';
import type { Status } from '../../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import type { ObjectMeta } from '../../../../api/types/meta-v1.ts';
import { invalid as invalidField } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { StorageError } from '../../../storage/storage.ts';
import type { DeletePipeline } from './pipelines.ts';
import { planDeletion } from './plan-deletion.ts';
import type { Deleted, DeleteOptions, WriteContext, Written } from './write-context.ts';
import { type Present, type StoreCore, tooManyConflicts } from '../store-core.ts';
import { storeLatency } from '../store-latency.ts';

const maxAttempts = 100;

export async function deleteObject(
  core: StoreCore,
  pipeline: DeletePipeline,
  key: ObjectKey,
  options: DeleteOptions,
  context: WriteContext,
): Promise<Deleted> {
  if (options.ignoreStoreReadErrorWithClusterBreakingPotential) return deleteDamaged(core, key);
  let present = await storeLatency(context, core.dependencies.clock, core.present(key, { newest: true }));
  for (let attempt = 0; attempt < maxAttempts && present; attempt++) {
    context.signal.throwIfAborted();
    const outcome = await tryDelete({ core, pipeline, key, options, context }, present);
    if ('kind' in outcome) return outcome;
    present = outcome.present ?? (await core.present(key, { newest: true }));
  }
  throw present ? tooManyConflicts() : notFound(core.definition, key.name);
}

/**
 * Deletes an object that cannot be read, without admission, finalizers and preconditions, which cannot be evaluated. Throws 422 for an
 * object that can be read.
 */
async function deleteDamaged(core: StoreCore, key: ObjectKey): Promise<Deleted> {
  const { definition } = core;
  const { storage } = core.dependencies;
  const storageKey = core.storageKey(key);
  let modRevision: number | undefined;
  let isDamaged = false;
  try {
    const { entry } = await storage.get(storageKey);
    if (!entry) throw notFound(definition, key.name);
    ({ modRevision } = entry);
    core.presentOf(entry)?.json();
  } catch (error) {
    if (!(error instanceof StorageError && error.reason === 'corrupt')) throw error;
    isDamaged = true;
  }
  if (!isDamaged) {
    const field = FieldPath.root.child('ignoreStoreReadErrorWithClusterBreakingPotential');
    const detail = 'is exclusively used to delete corrupt object(s), try again by removing this option';
    throw invalid({ group: definition.group, kind: definition.names.plural }, key.name, [invalidField(field, true, detail)]);
  }
  const result = await storage.commit({
    conditions: modRevision === undefined ? [] : [{ key: storageKey, modRevision }],
    operations: [{ type: 'delete', key: storageKey }],
  });
  if (!result.succeeded) throw conflict(definition, key.name, 'the object was written while it was being deleted; try again');
  return { kind: 'status', status: deletedStatus(definition, { metadata: { name: key.name } }) };
}

interface Deletion {
  readonly core: StoreCore;
  readonly pipeline: DeletePipeline;
  readonly key: ObjectKey;
  readonly options: DeleteOptions;
  readonly context: WriteContext;
}

/** mutate -> validate -> plan -> mark or remove. */
async function tryDelete(
  { core, pipeline, key, options, context }: Deletion,
  { object: old, revision }: Present,
): Promise<Deleted | { readonly present: Present | undefined }> {
  const { definition, dependencies } = core;
  checkPreconditions(definition, key.name, old, options.preconditions);
  const request = core.admissionRequest('DELETE', { ...key, name: pipeline.admittedName(key) }, context, { oldObject: old });
  await pipeline.admission.mutate(core, request);
  await pipeline.admission.validate(core, request);
  const plan = planDeletion(definition, old, options, dependencies.clock.nowMs());
  if (plan.kind === 'wait') return { kind: 'object', written: written(core, old, old.metadata as ObjectMeta, revision) };
  if (plan.kind === 'mark') {
    const object = { ...cloneJSON(old), ...plan.fields, metadata: plan.metadata } as UntypedObject;
    const putting = core.put(key, object, revision, { dryRun: context.dryRun, keepsManagedFields: true });
    const result = await storeLatency(context, dependencies.clock, putting);
    if (result.succeeded && result.written) return { kind: 'object', written: result.written };
    return { present: result.succeeded ? undefined : presentOf(core, result.current) };
  }
  const removed = await storeLatency(context, dependencies.clock, core.remove(key, revision, context.dryRun));
  if (!removed.succeeded) return { present: presentOf(core, removed.current) };
  if (!context.dryRun) await core.hooks?.afterDelete?.(old);
  const last = written(core, old, old.metadata as ObjectMeta, context.dryRun ? revision : removed.revision);
  return { kind: 'status', status: deletedStatus(definition, old), last };
}

function presentOf(core: StoreCore, current: readonly (Parameters<StoreCore['presentOf']>[0] | undefined)[]): Present | undefined {
  const [entry] = current;
  return entry && core.presentOf(entry);
}

function written(core: StoreCore, old: DeepReadonly<UntypedObject>, metadata: ObjectMeta, revision: number): Written {
  const object = { ...old, metadata: { ...metadata, resourceVersion: String(revision) } } as UntypedObject;
  return { object, json: core.codec.toWire(object, core.codec.toStored(object), revision), created: false };
}

function deletedStatus(definition: ResourceDefinition, { metadata }: { readonly metadata: DeepReadonly<ObjectMeta> }): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      ...(metadata.name === undefined ? {} : { name: metadata.name }),
      ...(definition.group === '' ? {} : { group: definition.group }),
      kind: definition.names.plural,
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    },
    code: 200,
  };
}

/** Checks the preconditions of a deletion: uid and resourceVersion. */
function checkPreconditions(
  { group, names }: ResourceDefinition,
  name: string,
  { metadata }: DeepReadonly<UntypedObject>,
  { uid, resourceVersion }: NonNullable<DeleteOptions['preconditions']> = {},
): void {
  // Named by its kind, as clients know these messages.
  const refuse = (message: string) => conflict({ group, resource: names.kind }, name, message);
  if (uid !== undefined && uid !== metadata.uid) {
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
