import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { ObjectKey, UntypedObject } from '../../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { validateImmutable } from '../../../../api/validation/immutable.ts';
import type { AdmissionRequest } from '../../admission/admission.ts';
import type { WriteContext } from './write-context.ts';
import { preconditionFailed, type StoreCore } from '../store-core.ts';
import { refuseInvalid } from './settle-object.ts';

/** The step that records who owns the fields of an object. */
export interface OwnershipStep {
  record(core: StoreCore, object: UntypedObject, old: DeepReadonly<UntypedObject> | undefined, context: WriteContext): Promise<void>;
  /** Whether managedFields are left out of an object that is too large for the store with them. */
  readonly isDispensable: boolean;
}

/** The changes of a write belong to its field manager. */
export const recordChanges: OwnershipStep = {
  async record(core, object, old, context) {
    if (!core.largeObjects.isOwned(object)) await core.recordOwnership(object, old, context);
  },
  isDispensable: true,
};

/** The object comes with its managedFields: server-side apply has computed them, or the server writes in nobody's name. */
export const keepOwners: OwnershipStep = { record: async () => undefined, isDispensable: false };

/** The steps that ask admission. */
interface AdmissionStep {
  mutate(core: StoreCore, request: AdmissionRequest): Promise<void>;
  validate(core: StoreCore, request: AdmissionRequest): Promise<void>;
}

const askPlugins: AdmissionStep = {
  mutate: ({ dependencies }, request) => dependencies.admission.mutate(request),
  validate: ({ dependencies }, request) => dependencies.admission.validate(request),
};

/** For steps of the server itself, which upstream takes below admission. */
const askNobody: AdmissionStep = { mutate: async () => undefined, validate: async () => undefined };

/** The treatment of an update to an object that is not there. */
interface MissingStep {
  mayCreate(definition: ResourceDefinition, context: WriteContext): boolean;
  /** Whether a uid that the new object names is a precondition, which nothing can fulfil. */
  readonly refusesUID: boolean;
}

const createWhereAllowed: MissingStep = {
  mayCreate: ({ allowCreateOnUpdate }, { subresource }) => allowCreateOnUpdate && subresource === '',
  refusesUID: true,
};
const createApplied: MissingStep = { mayCreate: (_, { subresource }) => subresource === '', refusesUID: false };

/** The refusal of an object that names another uid than that of the stored one. */
type RefuseUID = (core: StoreCore, key: ObjectKey, uid: string, storedUID: string | undefined) => never;

const asPrecondition: RefuseUID = (core, key, uid, storedUID) => {
  throw preconditionFailed(core, key, 'UID', uid, storedUID ?? '');
};

/** Controllers tell it from a failed precondition. Upstream looks at it twice: for every kind, and again among the rules of each. */
const asChangedField: RefuseUID = (core, key, uid, storedUID) => {
  const problems = validateImmutable(FieldPath.root.child('metadata', 'uid'), uid, storedUID);
  refuseInvalid(core.definition, key.name, [...problems, ...problems]);
  return asPrecondition(core, key, uid, storedUID);
};

/** The steps in which updates differ from one another; updateObject takes them in their order. */
export interface UpdatePipeline {
  readonly missing: MissingStep;
  readonly refuseUID: RefuseUID;
  readonly ownership: OwnershipStep;
  readonly admission: AdmissionStep;
  /** `none`: the change is made as it is, without the strategy of the kind and without validation. */
  readonly strategy: 'kind' | 'none';
}

/** PUT of an object, or of one of its subresources. */
export const replacement: UpdatePipeline = {
  missing: createWhereAllowed,
  refuseUID: asPrecondition,
  ownership: recordChanges,
  admission: askPlugins,
  strategy: 'kind',
};

/** PATCH by a JSON, merge or strategic merge patch. */
export const patch: UpdatePipeline = { ...replacement, refuseUID: asChangedField };

/** PATCH by server-side apply, which creates what is not there. */
export const apply: UpdatePipeline = { ...replacement, missing: createApplied, ownership: keepOwners };

/** The binding of a Pod to its node. */
export const binding: UpdatePipeline = { ...replacement, ownership: keepOwners, admission: askNobody, strategy: 'none' };

/** The condition of a Pod that is about to be evicted. */
export const evictionNotice: UpdatePipeline = { ...replacement, admission: askNobody };

/** The count of the disruptions that a budget allows. */
export const disruptionCount: UpdatePipeline = { ...replacement, ownership: keepOwners, admission: askNobody };

/** The steps in which deletions differ from one another; deleteObject takes them in their order. */
export interface DeletePipeline {
  readonly admission: AdmissionStep;
  /** The name of which admission is told. */
  admittedName(key: ObjectKey): string;
}

/** DELETE of one object. */
export const deletion: DeletePipeline = { admission: askPlugins, admittedName: ({ name }) => name };

/** DELETE of a collection, of which the object is one: admission is not told its name. */
export const collectionDeletion: DeletePipeline = { admission: askPlugins, admittedName: () => '' };

/** Eviction, which has asked admission before. */
export const eviction: DeletePipeline = { ...deletion, admission: askNobody };
