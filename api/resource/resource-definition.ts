import type { DeepReadonly } from '../base/deep-readonly.ts';
import type { KubeObject } from '../meta/object.ts';
import type { UserInfo } from '../meta/user-info.ts';
import type { WebhookConversion } from '../types/apiextensions-v1.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts';
import type { MediaType } from '../serialization/media-types.ts';
import type { FieldError } from '../validation/field-error.ts';
import type { FieldPath } from '../validation/field-path.ts';
import type { NameRule } from '../validation/names.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface CustomOrigin {
  /** The definition that the kind is made of, by toDefinitions. */
  readonly crd: DeepReadonly<CustomResourceDefinition>;
  readonly workFactor: WorkFactor;
}

/** How much longer objects of a custom kind take to be defaulted and validated than objects of a kind whose fields have only types. */
export interface WorkFactor {
  /** The additional time of any object, in the time of reading a byte. */
  readonly once: number;
  /** The additional time for each byte: the greatest of any part of the schema, since each value lies in one part. */
  readonly perByte: number;
}

/**
 * All that kubets knows of a kind, in the vocabulary of a CustomResourceDefinition. Built-in kinds are declared with
 * defineResource in api/resources; a CRD yields the same at run time. Paths, discovery, OpenAPI, Table, client, informer,
 * status/spec separation and generation are derived from it. Hooks are pure: what needs the clock, the caller or other
 * objects is given in their context or belongs to admission or to server/apiserver/registry.
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly names: ResourceNames;
  /** OpenAPI definition of the kind, e.g. io.k8s.api.core.v1.Pod: gives the schema of a built-in kind. */
  readonly definition: string;
  /** The schema of a custom kind. Absent for built-in kinds, whose schema `schemaOf` finds by `definition`. */
  readonly schema?: StructuralSchema;
  /**
   * The work that the text of an object or a body takes, as the number of bytes of other texts that take as long. Absent: its own.
   */
  weigh?(text: Uint8Array): number;
  /** The CustomResourceDefinition behind a custom kind. */
  readonly origin?: CustomOrigin;
  readonly verbs: readonly Verb[];
  /** Media types of the kind's objects. Absent: all media types; custom resources have no protobuf form. */
  readonly mediaTypes?: readonly MediaType[];
  readonly subresources: Readonly<Record<string, SubresourceDefinition>>;
  /**
   * The paths of fields that requests to a subresource cannot change, so that no manager owns them through it (KEP-555). Default: `spec`
   * for `status`, none for others.
   */
  readonly resetFields?: Readonly<Record<string, readonly (readonly string[])[]>>;
  /**
   * The place of objects below /registry/, the same as upstream's: pods, services/specs, minions, apiregistration.k8s.io/apiservices.
   * Absent: not stored (reviews, bindings).
   */
  readonly storagePrefix?: string;
  /**
   * The definition (of the same kind) whose version is stored and whose cache is shared (HPA v1, events.k8s.io Event). Absent if it is this
   * definition.
   */
  readonly storageVersion?: { readonly group: string; readonly version: string };
  /** Converts from and to the stored version; both objects are fresh and may be modified. */
  readonly convert?: {
    fromStorage(object: KubeObject): T;
    toStorage(object: T): KubeObject;
  };
  /** The webhook that converts objects of other versions to this version, and to the stored one. Absent: `convert` is used. */
  readonly conversionWebhook?: DeepReadonly<WebhookConversion>;
  /** Older versions of the same shape, in which upstream may have stored objects, e.g. v1beta1. Objects read in them get this version. */
  readonly formerVersions?: readonly string[];
  /** Brings a stored custom object into the form that is served: pruned and defaulted by the schema of now. The object may be modified. */
  readStored?(object: KubeObject): T;
  /** Converts an object that upstream stored in an older version of another shape, which is no longer served. */
  upgradeStored?(object: KubeObject): T;
  /** All columns in order, the name's too. Empty: Name and Created At. */
  readonly printerColumns: readonly PrinterColumn<T>[];
  /** Conditions of an object's row in a Table, e.g. that a Pod has completed. */
  rowConditions?(object: DeepReadonly<T>): RowCondition[];
  /** Fields for field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, FieldReader<T>>>;
  /** Rule for names of the kind; default nameIsDNSSubdomain. Metadata is validated by it before `validate`, for every kind. */
  readonly nameRule: NameRule;
  /** Default false. Objects whose spec changes count metadata.generation: default true where the kind has a spec. */
  readonly hasGeneration: boolean;
  /** With hasGeneration: top-level fields whose change counts it up; default spec. 'all': all but metadata (custom resources). */
  readonly generationFields: readonly string[] | 'all';
  /** Whether a create keeps the status that the client sent (Nodes). Default false: with a status subresource the status is dropped. */
  readonly keepsStatusOnCreate: boolean;
  /** Default false: PUT of a missing object creates it (upstream: few kinds, e.g. leases, endpoints, events). */
  readonly allowCreateOnUpdate: boolean;
  /** Default true: PUT without a resourceVersion overwrites. */
  readonly allowUnconditionalUpdate: boolean;
  /** Treatment of dependents by a DELETE without propagationPolicy; default 'background'. */
  readonly defaultGarbageCollection: 'background' | 'orphan';
  /** The grace period of a DELETE, in seconds; absent: the object is deleted at once. */
  gracePeriodSeconds?(object: DeepReadonly<T>, requested: number | undefined): number;
  /** Seconds after which the object vanishes by itself (Events: 3600). */
  readonly ttlSeconds?: number;

  /** The CustomResourceDefinition of the kind is being deleted: nothing is created any more, and nothing to write is announced. */
  readonly isTerminating?: boolean;
  /** Further fields that the first DELETE changes of an object that it does not remove. The finalizers that it adds keep the object. */
  prepareForDelete?(
    object: DeepReadonly<T>,
    nowMs: number,
  ): { readonly finalizers: readonly string[]; readonly fields: Readonly<Record<string, unknown>> };
  /** Paths of the fields that the scale subresource of a custom kind shows, e.g. `.spec.replicas`. */
  readonly scalePaths?: ScalePaths;
  /** Sets defaults beyond those that the schema and the generated facts declare. Modifies the object. */
  default?(object: T): void;
  /**
   * Sets the fields of a new object that only the server may set, and clears those that a client must not set. Modifies. Metadata, status
   * and generation are handled for every kind already.
   */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /**
   * Prepares an update, as prepareForCreate prepares a create; the generic part has already copied status (main resource) or all but
   * status (status subresource).
   */
  prepareForUpdate?(object: T, old: DeepReadonly<T>, context: StrategyContext): void;
  validate?(object: DeepReadonly<T>, path: FieldPath, context: StrategyContext): FieldError[];
  /** Default false. On update upstream applies the rules of some kinds twice: the causes of a refusal are there twice, too. */
  readonly tellsTwice: boolean;
  /** On update, after validate: immutable fields. */
  validateUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>, path: FieldPath, context: StrategyContext): FieldError[];
  /** Update of the status subresource. */
  validateStatusUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>, path: FieldPath, context: StrategyContext): FieldError[];
  /** Replaces equivalent spellings by one canonical form, after validation. Modifies. */
  canonicalize?(object: T): void;
  /** Sent with every answer: the kind is deprecated. */
  readonly deprecationWarning?: string;
  /** The warning sent with the answer to a DELETE without a propagation policy, where the effect on dependents is not the usual one. */
  readonly deletionWarning?: string;
  /** Warning headers for create and update. */
  warnings?(object: DeepReadonly<T>, old: DeepReadonly<T> | undefined): string[];
}

/** Reads a field as text. Spelled as a method so that definitions of all kinds fit into one list. */
type FieldReader<T extends KubeObject> = { read(object: DeepReadonly<T>): string }['read'];

/** The paths of `subresources.scale` of a CustomResourceDefinition. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  readonly labelSelector?: string;
}

export interface ResourceNames {
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export interface SubresourceDefinition {
  /** Kind that discovery shows and the body has, e.g. Scale, TokenRequest, Eviction. */
  readonly kind: string;
  /** Group and version of `kind` where they differ from the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface StrategyContext {
  readonly nowMs: number;
  readonly operation: 'create' | 'update';
  /** '' for the main resource. */
  readonly subresource: string;
  /** The user who writes. */
  readonly user: UserInfo;
}

/** meta.k8s.io/v1 TableRowCondition */
export interface RowCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface PrinterColumn<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0: always shown; 1: only with -o wide. */
  readonly priority?: number;
  /** Ages and durations are made from context.nowMs. */
  value(object: DeepReadonly<T>, context: { readonly nowMs: number }): string | number | boolean | null;
}

/** `pods`, `deployments.apps`: how messages, Status.details and RBAC name a resource. */
export function groupResource(definition: Pick<ResourceDefinition, 'group' | 'names'>): string {
  return definition.group === '' ? definition.names.plural : `${definition.names.plural}.${definition.group}`;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(definition: Pick<ResourceDefinition, 'group' | 'version'>): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
}
