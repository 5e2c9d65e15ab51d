import { convertAsync, type Converting, convertNow, type ConvertVersion } from '../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ObjectKey, UntypedObject } from '../../../api/meta/object.ts';
import { conflict, unexpectedError } from '../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition, type StrategyContext } from '../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../api/resource/schema-of.ts';
import { type CommitResult, type Condition, type Operation, type Storage, StorageError, type StoredEntry } from '../../storage/storage.ts';
import type { WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import { derivedParts } from '../admission/admission-request.ts';
import type { AdmissionOperation, AdmissionRequest } from '../admission/admission.ts';
import { createLargeObjects, type LargeObjects } from './large-objects/large-objects.ts';
import type { HookOutcome, RegistryHooks } from './hooks.ts';
import type { ObjectCodec } from './codec.ts';
import { createVersionConversion, schemaOfVersion } from './conversion/convert-version.ts';
import { createConvertingCodec } from './conversion/converting-codec.ts';
import { createObjectCodec } from './object-codec.ts';
import { withVersion } from './with-version.ts';
import { recordOwnership } from './writes/record-ownership.ts';
import type { RegistryDependencies } from './registry-dependencies.ts';
import type { WriteContext, Written } from './writes/write-context.ts';
import { storedDefinition } from './stored-definition.ts';
import { createStoredUpgrade } from './upgrade-stored.ts';

/** A state of an object that a write starts from. */
export interface Present {
  readonly object: DeepReadonly<UntypedObject>;
  /** Wire JSON of the object. */
  json(): Uint8Array;
  readonly revision: number;
  /** Read from the store itself, not from the cache, which may lag behind. */
  readonly isNewest: boolean;
}

export interface PutOptions {
  readonly dryRun: boolean;
  readonly keepsManagedFields?: boolean | undefined;
  /** The stored bytes of the object, if they are known. */
  readonly stored?: Uint8Array | undefined;
  /** Of other keys; their present state follows that of the object where the put was refused. */
  readonly conditions?: readonly Condition[];
}

/** The common part of create, update and delete of a resource. */
export interface StoreCore {
  readonly definition: ResourceDefinition;
  readonly dependencies: RegistryDependencies;
  readonly codec: ObjectCodec;
  readonly cache: WatchCache;
  readonly hooks: RegistryHooks | undefined;
  readonly largeObjects: LargeObjects;
  storageKey(key: ObjectKey): string;
  present(key: ObjectKey, options: { readonly newest: boolean }): Promise<Present | undefined>;
  /** undefined: the entry has to be converted first, see `present`. */
  presentOf(entry: StoredEntry): Present | undefined;
  /** An object that is too large for the store is tried again without its managedFields, which may be lost (modifies it). */
  put(key: ObjectKey, object: UntypedObject, revision: number, options: PutOptions): Promise<CommitResult & { readonly written?: Written }>;
  /** Whether the object is kept otherwise than it would be written now: a write that changes nothing is not in vain then. */
  isStale(key: ObjectKey): Promise<boolean>;
  remove(key: ObjectKey, revision: number, dryRun: boolean): Promise<CommitResult>;
  strategyContext(context: WriteContext, operation: StrategyContext['operation']): StrategyContext;
  admissionRequest(
    operation: AdmissionOperation,
    key: ObjectKey,
    context: WriteContext,
    objects: Pick<AdmissionRequest, 'object' | 'oldObject'>,
  ): AdmissionRequest;
  recordOwnership(object: UntypedObject, old: DeepReadonly<UntypedObject> | undefined, context: WriteContext): Promise<void>;
  /** Runs steps that ask for objects of other versions of the kind. */
  convertVersions<T>(steps: Converting<T>): Promise<T>;
}

export function createStoreCore(definition: ResourceDefinition, dependencies: RegistryDependencies): StoreCore {
  const { storage, caches, clock } = dependencies;
  const stored = storedDefinition(definition, dependencies.catalog.snapshot.definitions);
  const codec = codecOf(definition, stored, dependencies);
  const resourcePrefix = `/registry/${definition.storagePrefix}/`;
  const namespaced = definition.scope === 'Namespaced';
  const cache = caches.cacheFor({
    resourcePrefix,
    namespaced,
    apiVersion: apiVersionOf(stored),
    kind: stored.names.kind,
    selectableFields: selectableFieldsOf(definition, stored, dependencies),
    ...createStoredUpgrade(stored, schemaOf(stored)),
  });
  const convertVersions = versionsConverter(definition, dependencies);
  const relativeKey = ({ namespace, name }: ObjectKey) => (namespaced ? `${namespace}/${name}` : name);
  const storageKey = (key: ObjectKey) => resourcePrefix + relativeKey(key);
  const presentOf = (entry: StoredEntry, cached = cache.wrap(entry)): Present => {
    return { object: codec.read(cached), json: () => codec.bytes(cached), revision: entry.modRevision, isNewest: true };
  };

  return {
    definition,
    dependencies,
    codec,
    cache,
    hooks: dependencies.hooksFor(definition),
    largeObjects: createLargeObjects(definition, dependencies.largeWork),
    storageKey,
    presentOf: (entry) => (codec.prepare ? undefined : presentOf(entry)),
    async present(key, { newest }) {
      const cached = newest ? undefined : cache.get(relativeKey(key));
      if (cached) await codec.prepare?.([cached], noSignal);
      if (cached) return { object: codec.read(cached), json: () => codec.bytes(cached), revision: cached.revision, isNewest: false };
      const { entry } = await storage.get(storageKey(key));
      if (!entry) return undefined;
      const read = cache.wrap(entry);
      await codec.prepare?.([read], noSignal);
      return presentOf(entry, read);
    },
    put: (key, object, revision, options) =>
      putObject({ definition, storage, codec, storageKey: storageKey(key) }, object, revision, options),
    isStale: async (key) => (await storage.isStale?.(storageKey(key))) ?? false,
    async remove(key, revision, dryRun) {
      if (dryRun) return { succeeded: true, revision };
      return storage.commit({
        conditions: [{ key: storageKey(key), modRevision: revision }],
        operations: [{ type: 'delete', key: storageKey(key) }],
      });
    },
    strategyContext: (context, operation) => ({
      nowMs: clock.nowMs(),
      operation,
      subresource: context.subresource,
      user: context.user,
    }),
    admissionRequest: (operation, key, context, objects) => ({
      ...admissionRequestOf(definition, operation, key, context),
      ...(codec.prepare && dependencies.convertObjects ? { convertObjects: dependencies.convertObjects } : {}),
      ...objects,
    }),
    convertVersions,
    recordOwnership: (object, old, context) => convertVersions(recordOwnership(definition, object, old, context, clock.nowMs())),
  };
}

interface Place {
  readonly definition: ResourceDefinition;
  readonly storage: Storage;
  readonly codec: ObjectCodec;
  readonly storageKey: string;
}

async function putObject(
  place: Place,
  object: UntypedObject,
  revision: number,
  options: PutOptions,
): Promise<CommitResult & { readonly written?: Written }> {
  const { definition, storage, codec, storageKey } = place;
  const { dryRun, keepsManagedFields = false, stored: known, conditions = [] } = options;
  const value = codec.store ? await codec.store(object, noSignal, known) : (known ?? codec.toStored(object));
  const writtenAt = (at: number, created: boolean): Written => ({
    object: withVersion(object, at),
    json: codec.toWire(object, value, at),
    created,
  });
  if (dryRun) return { succeeded: true, revision, written: writtenAt(revision, false) };
  const ttl = definition.ttlSeconds === undefined ? {} : { ttlSeconds: definition.ttlSeconds };
  const operation: Operation = { type: 'put', key: storageKey, value, ...ttl };
  try {
    const result = await storage.commit({
      conditions: [{ key: storageKey, modRevision: revision }, ...conditions],
      operations: [operation],
    });
    return result.succeeded ? { ...result, written: writtenAt(result.revision, revision === 0) } : result;
  } catch (error) {
    const isTooLarge = error instanceof StorageError && error.reason === 'too-large';
    if (!isTooLarge || object.metadata.managedFields === undefined || keepsManagedFields) throw error;
    delete object.metadata.managedFields;
    return putObject(place, object, revision, { dryRun, conditions });
  }
}

function admissionRequestOf(definition: ResourceDefinition, operation: AdmissionOperation, key: ObjectKey, context: WriteContext) {
  return {
    operation,
    resource: definition,
    subresource: context.subresource,
    namespace: key.namespace,
    name: key.name,
    user: context.user,
    dryRun: context.dryRun,
    signal: context.signal,
    deadlineMs: context.deadlineMs,
    addWarning: context.addWarning,
    ...derivedParts(definition, context.subresource, operation, context.operationOptions),
    ...(context.annotate ? { annotate: context.annotate } : {}),
  };
}

/** Runs steps that ask for conversions, by the webhook of the kind if it has one. */
function versionsConverter(
  definition: ResourceDefinition,
  { catalog, convertObjects }: RegistryDependencies,
): StoreCore['convertVersions'] {
  const { conversionWebhook: webhook } = definition;
  if (!webhook || !convertObjects) {
    let convert: ConvertVersion | undefined;
    return async (steps) =>
      convertNow(steps, (...asked) => (convert ??= createVersionConversion(definition, catalog.snapshot.definitions))(...asked));
  }
  return (steps) =>
    convertAsync(steps, async (object, apiVersion) => {
      const schema = schemaOfVersion(definition, apiVersion);
      if (!schema) return undefined;
      const [converted = object] = await convertObjects(webhook, [object as UntypedObject], apiVersion, noSignal);
      return { schema, object: converted };
    });
}

function codecOf(definition: ResourceDefinition, stored: ResourceDefinition, { convertObjects }: RegistryDependencies): ObjectCodec {
  const codec = createObjectCodec(definition, stored);
  const { conversionWebhook } = definition;
  return conversionWebhook && convertObjects ? createConvertingCodec(definition, codec, conversionWebhook, convertObjects) : codec;
}

/** Calls of conversion webhooks have their own time limit, and other requests may wait for their result. */
const noSignal = new AbortController().signal;

/** The selectable fields of all versions of a kind: versions of a custom kind differ in them and share one cache. */
function selectableFieldsOf(
  definition: ResourceDefinition,
  stored: ResourceDefinition,
  { catalog }: RegistryDependencies,
): ResourceDefinition['selectableFields'] {
  if (!definition.schema) return stored.selectableFields;
  const versions = catalog.snapshot.definitions.filter(({ storagePrefix }) => storagePrefix === definition.storagePrefix);
  return Object.assign(
    {},
    ...versions.map(({ selectableFields }) => selectableFields),
    definition.selectableFields,
  ) as typeof stored.selectableFields;
}

export function checkPreconditions(
  core: StoreCore,
  key: ObjectKey,
  old: DeepReadonly<UntypedObject>,
  preconditions: { readonly uid?: string; readonly resourceVersion?: string } | undefined,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const refuse = (what: string, wanted: string, found: string | undefined) => {
    throw preconditionFailed(core, key, what, wanted, found ?? '');
  };
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid) refuse('UID', uid, old.metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== old.metadata.resourceVersion)
    refuse('ResourceVersion', resourceVersion, old.metadata.resourceVersion);
}

/** Completes or reverts what a hook has begun. */
export async function settle(outcome: HookOutcome | undefined, succeeded: boolean): Promise<void> {
  await (succeeded ? outcome?.commit() : outcome?.rollback());
}

/** Whether a failed write may have been done all the same. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof StorageError && error.isOutcomeUnknown;
}

export function tooManyConflicts(): Error {
  return unexpectedError('the object kept changing while it was being written; try again');
}

/** 409 in the words that clients know from the store below. */
export function preconditionFailed(core: StoreCore, key: ObjectKey, what: string, wanted: string, found: string): Error {
  const failure = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
  const message = `StorageError: invalid object, Code: 4, Key: ${core.storageKey(key)}, ResourceVersion: 0, AdditionalErrorMsg: ${failure}`;
  return conflict(core.definition, key.name, message);
}
