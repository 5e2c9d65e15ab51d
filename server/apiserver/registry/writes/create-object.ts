import type { ObjectKey, UntypedObject } from '../../../../api/meta/object.ts';
import { alreadyExists, badRequest, generateNameConflict, unexpectedError } from '../../../../api/meta/status-errors.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import type { AdmissionRequest } from '../../admission/admission.ts';
import { generateName } from './prepare-object.ts';
import { type OwnershipStep, recordChanges } from './pipelines.ts';
import { checkNew, prepareNew } from './settle-object.ts';
import type { WriteContext, Written } from './write-context.ts';
import { storeLatency } from '../store-latency.ts';
import { guardNamespace } from './namespace-guard.ts';
import { isOutcomeUnknown, type PutOptions, settle, type StoreCore } from '../store-core.ts';

/** How many names are tried for a generateName before the client is asked to (KEP-4420). */
const maxNameAttempts = 8;

/** own -> mutate -> prepare -> allocate -> check -> validate -> write. `object` is decoded and defaulted; it is modified. */
export async function createObject(
  core: StoreCore,
  object: UntypedObject,
  namespace: string,
  context: WriteContext,
  ownership: OwnershipStep = recordChanges,
): Promise<Written> {
  placeInNamespace(core, object, namespace);
  const { largeObjects } = core;
  // before admission, so that what plugins add belongs to nobody
  await ownership.record(core, object, undefined, context);
  const request = core.admissionRequest('CREATE', { namespace, name: object.metadata.name ?? '' }, context, { object });
  await core.dependencies.admission.mutate(request);
  // Plugins may have given the object a name, and must not have moved it.
  placeInNamespace(core, object, namespace);
  const { metadata } = object;
  const prefix = metadata.name ? undefined : metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    const candidate = prefix === undefined || prefix === '' ? object : largeObjects.copy(object);
    if (prefix) candidate.metadata.name = generateName(prefix, core.dependencies.random);
    const key = { namespace, name: candidate.metadata.name ?? '' };
    const written = await tryCreate(core, candidate, key, context, { ...request, name: request.name || key.name, object: candidate });
    if (written) return written;
    if (!prefix) throw await nameTaken(core, { namespace, name: candidate.metadata.name ?? '' });
    if (attempt === maxNameAttempts) throw generateNameConflict(core.definition, candidate.metadata.name ?? '');
  }
}

function placeInNamespace({ definition }: StoreCore, object: UntypedObject, namespace: string): void {
  if (definition.scope === 'Cluster') return;
  const own = object.metadata.namespace ?? '';
  if (own !== '' && own !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  object.metadata.namespace = namespace;
}

/** Says so where the object that has the name is going. */
async function nameTaken(core: StoreCore, key: ObjectKey): Promise<StatusError> {
  const error = alreadyExists(core.definition, key.name);
  const present = await core.present(key, { newest: true });
  if (!present?.object.metadata.deletionTimestamp) return error;
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.message}` });
}

/** Upstream's store is the one that minds, and only where it would really write, and of what can be a revision. */
function dropResourceVersion({ metadata }: UntypedObject, { dryRun }: WriteContext): void {
  const { resourceVersion = '' } = metadata;
  if (!dryRun && /^0*[1-9]\d{0,18}$/.test(resourceVersion))
    throw unexpectedError('resourceVersion should not be set on objects to be created');
  delete metadata.resourceVersion;
}

/** undefined: an object of that name exists. */
async function tryCreate(
  core: StoreCore,
  object: UntypedObject,
  key: ObjectKey,
  context: WriteContext,
  request: AdmissionRequest,
): Promise<Written | undefined> {
  const { definition, hooks, dependencies, largeObjects } = core;
  const { admission, random } = dependencies;
  const strategy = core.strategyContext(context, 'create');
  const settling = largeObjects.settling(object, undefined, strategy, context);
  if (settling) await settling.prepare(key.name, hooks?.beginCreate === undefined, random.uuid());
  else prepareNew(definition, object, strategy, random);
  const outcome = await hooks?.beginCreate?.(object, { dryRun: context.dryRun });
  let succeeded = false;
  let isUnknown = false;
  try {
    const settled = await settling?.check(key.name);
    for (const warning of settled?.warnings ?? checkNew(definition, object, key.name, strategy)) context.addWarning(warning);
    await admission.validate(request);
    if (context.dryRun && (await core.present(key, { newest: true }))) return undefined;
    dropResourceVersion(object, context);
    const putting = putNew(core, key, object, { dryRun: context.dryRun, stored: settled?.stored });
    const result = await storeLatency(context, dependencies.clock, putting);
    succeeded = result.succeeded && !context.dryRun;
    return result.written && { ...result.written, created: true };
  } catch (error) {
    isUnknown = isOutcomeUnknown(error);
    throw error;
  } finally {
    // Addresses that a Service may have now are not given to others; the repair knows later whether it has them.
    if (!isUnknown) await settle(outcome, succeeded);
  }
}

/**
 * Writes a new object upon the condition that its namespace is as admission has seen it: admission may have read it from a
 * cache that is stale, while another server has deleted it.
 */
async function putNew(core: StoreCore, key: ObjectKey, object: UntypedObject, options: PutOptions): ReturnType<StoreCore['put']> {
  const guard = guardNamespace(core, key);
  if (!guard || options.dryRun) return core.put(key, object, 0, options);
  for (let condition = guard.condition; ; ) {
    const result = await core.put(key, object, 0, { ...options, conditions: [condition] });
    if (result.succeeded || result.current[0]) return result;
    condition = guard.conditionAfter(result.current[1]);
  }
}
