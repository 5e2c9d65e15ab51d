import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import type { Status } from '../../../../api/meta/status.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import type { AuditLatency } from '../../audit/audit-record.ts';
import type { OperationOptions } from '../../request/operation-options.ts';

/** The writer and the options of a write: the part of a request that the registry needs. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Name for metadata.managedFields. */
  readonly fieldManager: string;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly signal: AbortSignal;
  /** The end of the request's time by the monotonic clock. Absent: it has none. */
  readonly deadlineMs?: number | undefined;
  /** The options of the request as admission shows them. Absent: none. */
  readonly operationOptions?: OperationOptions;
  addWarning(text: string): void;
  /** Adds an annotation to the events of the audit log. Absent: the request is not audited. */
  annotate?(key: string, value: string, level?: 'Request'): void;
  /** Absent likewise. */
  addLatency?(layer: AuditLatency, ms: number): void;
}

/** An object after a write (or as it would be, with dryRun), in the requested version. */
export interface Written {
  readonly object: UntypedObject;
  /** Wire JSON with the resourceVersion in place. */
  readonly json: Uint8Array;
  /** PUT of a missing object made it. */
  readonly created: boolean;
}

/** Shows an object to admission as another kind. */
export interface AdmissionView {
  show(object: DeepReadonly<UntypedObject>): UntypedObject;
  /** Copies the changes that admission made back to the object. */
  write(shown: DeepReadonly<UntypedObject>, object: UntypedObject): void;
}

export interface UpdateOptions extends WriteContext {
  /**
   * Given the present state and its wire JSON (absent only where the kind allows create on update), returns the new state. Called again
   * after a conflict, unless the returned object names the resourceVersion it was made from.
   */
  readonly change: (old: DeepReadonly<UntypedObject> | undefined, json?: () => Uint8Array) => UntypedObject | Promise<UntypedObject>;
  /** The object as admission sees it, if that is of another kind (Scale). Absent: the object itself. */
  readonly admissionView?: AdmissionView;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Deletes only an object that cannot be read (KEP-3926). */
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

/** The object, if it still exists (finalizers, grace period); a Status if it is gone. */
export type Deleted =
  | { readonly kind: 'object'; readonly written: Written }
  | { readonly kind: 'status'; readonly status: Status /** Absent where it could not be read. */; readonly last?: Written };
