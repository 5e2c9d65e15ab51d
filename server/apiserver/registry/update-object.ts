import { storeLatency } from './store-latency.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ObjectKey, UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, conflict, invalid as invalidObject, notFound } from '../../../api/meta/status-errors.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { invalid } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { validateImmutable } from '../../../api/validation/immutable.ts';
import { StorageError } from '../../storage/storage.ts';
import { createObject } from './create-object.ts';
import { isDeletable } from './deletion.ts';
import { checkChanged, isUnchanged, prepareChanged, refuseInvalid } from './settle-object.ts';
import type { UpdateOptions, Written } from './store.ts';
import {
  preconditionFailed,
  checkPreconditions,
  isOutcomeUnknown,
  type Present,
  settle,
  type StoreCore,
  tooManyConflicts,
} from './store-core.ts';

const maxAttempts = 100;

/**
 * Reads, changes and writes an object until no other write came between. A stale cache costs one more attempt, never a wrong answer: on a
 * state from the cache, a change that fails, changes nothing or is a dry run is tried again on the store's own state.
 */
export async function updateObject(core: StoreCore, key: ObjectKey, options: UpdateOptions): Promise<Written> {
  const find = (newest: boolean) => storeLatency(options, core.dependencies.clock, core.present(key, { newest }));
  let present = await find(false);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    options.signal.throwIfAborted();
    let outcome: Awaited<ReturnType<typeof tryUpdate>>;
    try {
      outcome = present ? await tryUpdate(core, key, present, options) : await createMissing(core, key, options);
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

async function createMissing(core: StoreCore, key: ObjectKey, options: UpdateOptions): Promise<Written | Overtaken> {
  const { definition } = core;
  if (!options.createIfMissing && !(definition.allowCreateOnUpdate && options.subresource === '')) throw notFound(definition, key.name);
  const object = await options.change(undefined);
  const { resourceVersion, uid } = object.metadata;
  if (resourceVersion && resourceVersion !== '0') throw notFound(definition, key.name);
  if (uid && !options.createIfMissing) throw preconditionFailed(core, key, 'UID', uid, '');
  delete object.metadata.resourceVersion;
  try {
    return await createObject(core, object, key.namespace, options, options.keepsManagedFields ? { keepsManagedFields: true } : {});
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    return { present: undefined };
  }
}

async function tryUpdate(core: StoreCore, key: ObjectKey, present: Present, options: UpdateOptions): Promise<Written | Overtaken> {
  const { object: old, revision } = present;
  const { definition, dependencies, hooks, largeObjects } = core;
  const { admission } = dependencies;
  checkPreconditions(core, key, old, options.preconditions);
  const object = await options.change(old, present.json);
  checkIdentity(core, key, object, old, options);
  const { admissionView: view } = options;
  const shown = view ? view.show(object) : object;
  const request = core.admissionRequest('UPDATE', key, options, { object: shown, oldObject: view ? view.show(old) : old });
  if (!options.keepsManagedFields && !largeObjects.isOwned(object)) await core.recordOwnership(object, old, options);
  if (!options.skipAdmission) await admission.mutate(request);
  view?.write(shown, object);
  const strategy = { ...core.strategyContext(options, 'update'), bypassesStrategy: options.bypassesStrategy === true };
  const settling = largeObjects.settling(object, present.json, strategy, options);
  if (settling) await settling.prepare(key.name, hooks?.beginUpdate === undefined);
  else prepareChanged(definition, object, old, strategy);
  // Subresources cannot change allocated values.
  const outcome = options.subresource === '' ? await hooks?.beginUpdate?.(object, old, { dryRun: options.dryRun }) : undefined;
  let succeeded = false;
  let isUnknown = false;
  try {
    const settled = await settling?.check(key.name);
    for (const warning of settled?.warnings ?? checkChanged(definition, object, old, strategy)) options.addWarning(warning);
    if (!options.skipAdmission) await admission.validate(view ? { ...request, object: view.show(object) } : request);
    const removes = isDeletable(definition, object);
    const isSame = settled ? settled.isUnchanged : isUnchanged(object, old);
    const unchanged = !removes && isSame && !(await core.isStale(key));
    // Without a write the store checks no revision, so a stale state would not be noticed.
    const newer = unchanged || options.dryRun ? await storeLatency(options, dependencies.clock, findNewer(core, key, present)) : undefined;
    if (newer) return newer;
    if (removes) {
      const removed = await storeLatency(options, core.dependencies.clock, core.remove(key, revision, options.dryRun));
      if (!removed.succeeded) return { present: overtakenBy(core, removed.current) };
      succeeded = !options.dryRun;
      if (succeeded) await hooks?.afterDelete?.(object);
      return writtenAs(core, object, removed.revision);
    }
    if (unchanged) return writtenAs(core, old as UntypedObject, revision);
    const { dryRun, keepsManagedFields } = options;
    const putting = core.put(key, object, revision, { dryRun, keepsManagedFields, stored: settled?.stored });
    const result = await storeLatency(options, core.dependencies.clock, putting);
    succeeded = result.succeeded && !options.dryRun;
    if (result.succeeded && result.written) return result.written;
    return { present: result.succeeded ? undefined : overtakenBy(core, result.current) };
  } catch (error) {
    isUnknown = isOutcomeUnknown(error);
    throw error;
  } finally {
    // Addresses that a Service may have now are not given to others; the repair knows later whether it has them.
    if (!isUnknown) await settle(outcome, succeeded);
  }
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
function checkIdentity(
  core: StoreCore,
  key: ObjectKey,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject>,
  options: UpdateOptions,
): void {
  const { definition } = core;
  const { metadata } = object;
  if (definition.scope === 'Namespaced') {
    if (metadata.namespace && metadata.namespace !== key.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    metadata.namespace = key.namespace;
  }
  if (metadata.uid && metadata.uid !== old.metadata.uid) {
    if (options.isPatch) {
      const problems = validateImmutable(FieldPath.root.child('metadata', 'uid'), metadata.uid, old.metadata.uid);
      // Upstream looks at it twice: for every kind, and again among the rules of each.
      refuseInvalid(definition, key.name, [...problems, ...problems]);
    }
    throw preconditionFailed(core, key, 'UID', metadata.uid, old.metadata.uid ?? '');
  }
  const version = metadata.resourceVersion ?? '';
  if (version === '' || version === '0') {
    if (!definition.allowUnconditionalUpdate && options.subresource === '') {
      // Named by its resource instead of its kind, as clients know this message.
      throw invalidObject({ group: definition.group, kind: definition.names.plural }, key.name, [
        invalid(FieldPath.root.child('metadata').child('resourceVersion'), 0, 'must be specified for an update'),
      ]);
    }
    Object.assign(metadata, { resourceVersion: old.metadata.resourceVersion });
  } else if (version !== old.metadata.resourceVersion) throw conflict(definition, key.name);
}
