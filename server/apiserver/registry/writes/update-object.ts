import { storeLatency } from '../store-latency.ts';
import type { ObjectKey, UntypedObject } from '../../../../api/meta/object.ts';
import { badRequest, conflict, invalid as invalidObject, notFound } from '../../../../api/meta/status-errors.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { invalid } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { StorageError } from '../../../storage/storage.ts';
import { createObject } from './create-object.ts';
import { isDeletable } from './plan-deletion.ts';
import type { Settled } from '../large-objects/large-objects.ts';
import type { UpdatePipeline } from './pipelines.ts';
import { checkChanged, isUnchanged, prepareChanged } from './settle-object.ts';
import type { UpdateOptions, Written } from './write-context.ts';
import {
  preconditionFailed,
  checkPreconditions,
  isOutcomeUnknown,
  type Present,
  settle,
  type StoreCore,
  tooManyConflicts,
} from '../store-core.ts';

const maxAttempts = 100;

/**
 * Reads, changes and writes an object until no other write came between. A stale cache costs one more attempt, never a wrong answer: on a
 * state from the cache, a change that fails, changes nothing or is a dry run is tried again on the store's own state.
 */
export async function updateObject(core: StoreCore, pipeline: UpdatePipeline, key: ObjectKey, options: UpdateOptions): Promise<Written> {
  const find = (newest: boolean) => storeLatency(options, core.dependencies.clock, core.present(key, { newest }));
  let present = await find(false);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    options.signal.throwIfAborted();
    let outcome: Written | Overtaken;
    try {
      outcome = present ? await tryUpdate({ core, pipeline, key, options, present }) : await createMissing(core, pipeline, key, options);
    } catch (error) {
      // The store was asked already; a write that may have been done must not be done once more.
      if (error instanceof StorageError && error.reason !== 'corrupt') throw error;
      const newest = present?.isNewest === false ? await find(true) : undefined;
      if (present?.isNewest === false && newest?.revision !== present.revision) {
        present = newest;
        continue;
      }
      throw error;
    }
    if ('object' in outcome) return outcome;
    present = outcome.present ?? (await find(true));
  }
  throw tooManyConflicts();
}

/** The conflicting state that is there now. */
interface Overtaken {
  readonly present: Present | undefined;
}

async function createMissing(
  core: StoreCore,
  { missing, ownership }: UpdatePipeline,
  key: ObjectKey,
  options: UpdateOptions,
): Promise<Written | Overtaken> {
  const { definition } = core;
  if (!missing.mayCreate(definition, options)) throw notFound(definition, key.name);
  const object = await options.change(undefined);
  const { resourceVersion, uid } = object.metadata;
  if (resourceVersion && resourceVersion !== '0') throw notFound(definition, key.name);
  if (uid && missing.refusesUID) throw preconditionFailed(core, key, 'UID', uid, '');
  delete object.metadata.resourceVersion;
  try {
    return await createObject(core, object, key.namespace, options, ownership);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    return { present: undefined };
  }
}

/** One attempt to update an object, from the state that it has at present. */
interface Attempt {
  readonly core: StoreCore;
  readonly pipeline: UpdatePipeline;
  readonly key: ObjectKey;
  readonly options: UpdateOptions;
  readonly present: Present;
}

/** change -> own -> mutate -> prepare -> allocate -> check -> validate -> write. */
async function tryUpdate(attempt: Attempt): Promise<Written | Overtaken> {
  const { core, pipeline, key, options, present } = attempt;
  const { object: old } = present;
  const { definition, hooks, largeObjects } = core;
  checkPreconditions(core, key, old, options.preconditions);
  const object = await options.change(old, present.json);
  checkIdentity(attempt, object);
  const { admissionView: view } = options;
  const shown = view ? view.show(object) : object;
  const request = core.admissionRequest('UPDATE', key, options, { object: shown, oldObject: view ? view.show(old) : old });
  await pipeline.ownership.record(core, object, old, options);
  await pipeline.admission.mutate(core, request);
  view?.write(shown, object);
  const strategy = { ...core.strategyContext(options, 'update'), bypassesStrategy: pipeline.strategy === 'none' };
  const settling = largeObjects.settling(object, present.json, strategy, options);
  if (settling) await settling.prepare(key.name, hooks?.beginUpdate === undefined);
  else prepareChanged(definition, object, old, strategy);
  // Subresources cannot change allocated values.
  const allocation = options.subresource === '' ? await hooks?.beginUpdate?.(object, old, { dryRun: options.dryRun }) : undefined;
  let isDone = false;
  let isUnknown = false;
  try {
    const settled = await settling?.check(key.name);
    for (const warning of settled?.warnings ?? checkChanged(definition, object, old, strategy)) options.addWarning(warning);
    await pipeline.admission.validate(core, view ? { ...request, object: view.show(object) } : request);
    const result = await write(attempt, object, settled);
    isDone = result.isDone;
    return result.outcome;
  } catch (error) {
    isUnknown = isOutcomeUnknown(error);
    throw error;
  } finally {
    // Addresses that a Service may have now are not given to others; the repair knows later whether it has them.
    if (!isUnknown) await settle(allocation, isDone);
  }
}

interface WriteResult {
  readonly outcome: Written | Overtaken;
  /** The store has changed. */
  readonly isDone: boolean;
}

/** The last step: the object is put, or goes since nothing keeps it any more, or is as it was. */
async function write(attempt: Attempt, object: UntypedObject, settled: Settled | undefined): Promise<WriteResult> {
  const { core, pipeline, key, options, present } = attempt;
  const { dryRun } = options;
  const timed = <T>(work: Promise<T>) => storeLatency(options, core.dependencies.clock, work);
  const removes = isDeletable(core.definition, object);
  const isSame = settled ? settled.isUnchanged : isUnchanged(object, present.object);
  const unchanged = !removes && isSame && !(await core.isStale(key));
  // Without a write the store checks no revision, so a stale state would not be noticed.
  const newer = unchanged || dryRun ? await timed(findNewer(core, key, present)) : undefined;
  if (newer) return { outcome: newer, isDone: false };
  if (unchanged) return { outcome: writtenAs(core, present.object as UntypedObject, present.revision), isDone: false };
  if (removes) {
    const removed = await timed(core.remove(key, present.revision, dryRun));
    if (!removed.succeeded) return { outcome: { present: overtakenBy(core, removed.current) }, isDone: false };
    if (!dryRun) await core.hooks?.afterDelete?.(object);
    return { outcome: writtenAs(core, object, removed.revision), isDone: !dryRun };
  }
  const keepsManagedFields = !pipeline.ownership.isDispensable;
  const result = await timed(core.put(key, object, present.revision, { dryRun, keepsManagedFields, stored: settled?.stored }));
  if (result.succeeded && result.written) return { outcome: result.written, isDone: !dryRun };
  return { outcome: { present: result.succeeded ? undefined : overtakenBy(core, result.current) }, isDone: false };
}

/** The newest state of an object, if the given one came from the cache and is stale. */
async function findNewer(core: StoreCore, key: ObjectKey, { revision, isNewest }: Present): Promise<Overtaken | undefined> {
  if (isNewest) return undefined;
  const newest = await core.present(key, { newest: true });
  return newest?.revision === revision ? undefined : { present: newest };
}

function overtakenBy(core: StoreCore, current: readonly (Parameters<StoreCore['presentOf']>[0] | undefined)[]): Present | undefined {
  const [entry] = current;
  return entry && core.presentOf(entry);
}

function writtenAs(core: StoreCore, object: UntypedObject, revision: number): Written {
  return {
    object: { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } } as UntypedObject,
    json: core.codec.toWire(object, core.codec.toStored(object), revision),
    created: false,
  };
}

/** Compares name, namespace, uid and resourceVersion of the new state with the old one, and fills in those that may be left out. */
function checkIdentity({ core, pipeline, key, options, present }: Attempt, object: UntypedObject): void {
  const { definition } = core;
  const { metadata } = object;
  const old = present.object.metadata;
  if (definition.scope === 'Namespaced') {
    if (metadata.namespace && metadata.namespace !== key.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    metadata.namespace = key.namespace;
  }
  if (metadata.uid && metadata.uid !== old.uid) pipeline.refuseUID(core, key, metadata.uid, old.uid);
  const version = metadata.resourceVersion ?? '';
  if (version === '' || version === '0') {
    if (!definition.allowUnconditionalUpdate && options.subresource === '') {
      // Named by its resource instead of its kind, as clients know this message.
      throw invalidObject({ group: definition.group, kind: definition.names.plural }, key.name, [
        invalid(FieldPath.root.child('metadata').child('resourceVersion'), 0, 'must be specified for an update'),
      ]);
    }
    Object.assign(metadata, { resourceVersion: old.resourceVersion });
  } else if (version !== old.resourceVersion) throw conflict(definition, key.name);
}
