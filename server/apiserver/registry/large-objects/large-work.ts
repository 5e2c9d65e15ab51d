import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { JSONObject } from '../../../../api/base/json-object.ts';
import type { PublishedParameters } from '../../../../api/extensions/openapi/published-parameters.ts';
import type { CustomResourceDefinition } from '../../../../api/types/apiextensions-v1.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import type { FieldValidation, ObjectKind } from '../../../../api/serialization/read-object.ts';
import type { PatchRequest } from '../../bodies/patch-change.ts';
import type { ItemNotation } from '../../../../api/serialization/format-list-item.ts';
import type { AdmissionTask } from '../../../../api/semantics/admission/admission-task.ts';
import type { AdmissionInput } from '../../../../api/semantics/admission/evaluate-expression.ts';
import type { ChangeStrategy } from '../writes/settle-object.ts';

/** A resource among the definitions that both sides know. */
export interface ResourceKey {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** The definition of a custom kind, which the other side does not know yet. */
  readonly custom?: CustomSource;
}

/** A CustomResourceDefinition on its way to another thread. */
export interface CustomSource {
  /** An id for each state of the definition. */
  readonly id: string;
  /** JSON, in memory that is shared and not copied for each task. */
  readonly json: Uint8Array<SharedArrayBuffer>;
}

/** For whom fields are recorded in metadata.managedFields. */
export interface Ownership {
  readonly fieldManager: string;
  readonly subresource: string;
}

/** Objects travel as JSON of the served version, in UTF-8. */
export type LargeTask =
  /** Decodes and defaults the body of a create or update; with `ownership`, as a new object of that manager. */
  | {
      readonly kind: 'read';
      readonly resource: ResourceKey;
      readonly body: Uint8Array;
      readonly contentType: string | undefined;
      readonly fieldValidation: FieldValidation;
      readonly nowMs: number;
      readonly ownership?: Ownership;
    }
  /** Decodes and defaults the body of a request that is not for a stored object. */
  | {
      readonly kind: 'decode';
      readonly expected: ObjectKind & { readonly definition: string };
      readonly body: Uint8Array;
      readonly contentType: string | undefined;
      readonly fieldValidation: FieldValidation;
      readonly nowMs: number;
    }
  /** Records who owns the fields of a changed object. */
  | {
      readonly kind: 'own';
      readonly resource: ResourceKey;
      readonly object: Uint8Array;
      readonly live: Uint8Array;
      readonly nowMs: number;
      readonly ownership: Ownership;
    }
  /** Applies a patch; with `ownership` records who owns the fields. */
  | {
      readonly kind: 'patch';
      readonly resource: ResourceKey;
      readonly patch: PatchRequest;
      readonly live?: Uint8Array;
      readonly nowMs: number;
      readonly ownership?: Ownership;
    }
  /** Evaluates expressions of admission. The result's object is the answer as JSON. */
  | {
      readonly kind: 'expressions';
      readonly task: AdmissionTask;
      readonly variables: Uint8Array;
      readonly answers: AdmissionInput['answers'];
    }
  /** Evaluates a match condition of an authorization webhook on `request`. The result's object is the outcome as JSON. */
  | { readonly kind: 'condition'; readonly expression: string; readonly request: object }
  /** Describes a version of a custom kind for an OpenAPI 2 document. The result's object has its paths, a line feed, its definitions. */
  | {
      readonly kind: 'openapi-members';
      readonly crd: DeepReadonly<CustomResourceDefinition>;
      readonly version: string;
      readonly parameters: PublishedParameters;
    }
  /** Makes the OpenAPI 3 document of versions of custom kinds. */
  | {
      readonly kind: 'openapi-document';
      readonly published: readonly { readonly crd: DeepReadonly<CustomResourceDefinition>; readonly version: string }[];
      readonly template: JSONObject;
    }
  /** Encodes an OpenAPI document. */
  | { readonly kind: 'openapi-protobuf'; readonly spec: 'v2' | 'v3'; readonly json: Uint8Array }
  /** Writes an object in another format. */
  | {
      readonly kind: 'encode';
      readonly resource: ResourceKey;
      readonly object: Uint8Array;
      /** `item:` formats an item of a list, without its kind, in that notation; `pretty` is indented JSON. */
      readonly format: 'application/yaml' | 'application/vnd.kubernetes.protobuf' | 'pretty' | `item:${ItemNotation}`;
    }
  /** The steps between mutating and validating admission; `live` is there for an update. */
  | {
      readonly kind: 'settle';
      readonly resource: ResourceKey;
      readonly object: Uint8Array;
      readonly live?: Uint8Array;
      readonly name: string;
      readonly uid: string;
      readonly strategy: ChangeStrategy;
      readonly steps: 'prepare' | 'check' | 'all';
    };

export interface LargeTaskResult {
  /** The object in the other format, for 'encode'. */
  readonly object: Uint8Array;
  readonly warnings: readonly string[];
  /** The stored bytes of the object, for 'check' and 'all'. */
  readonly stored?: Uint8Array;
  /** Whether there is nothing to write, for 'check' and 'all'. */
  readonly isUnchanged?: boolean;
}

/** The user for whom a task is done: users take turns, and an aborted signal ends the wait. */
export interface Asker {
  readonly user: Pick<UserInfo, 'name'>;
  readonly signal: AbortSignal;
}

/** Does tasks elsewhere than in this thread. Rejects with the StatusError that the task has thrown. */
export interface LargeWork {
  run(task: LargeTask, asker: Asker): Promise<LargeTaskResult>;
  /** Gives other work a turn of the event loop: parsing and serialising an object are two turns. */
  nextTurn(): Promise<void>;
}

/**
 * Bodies and objects with more bytes are handled in another thread. The slowest work takes about a microsecond for each byte, so smaller
 * ones hold the event loop for some 30 ms at most.
 */
export const largeBytes = 32 * 1024;

/** Larger objects cannot be stored, and are not passed back to the event loop. */
export const maxObjectBytes = 1.5 * 1024 * 1024;

/** The greatest body of requests that are not stored: reviews, scales, bindings, evictions, options. */
export const maxQuestionBytes = 256 * 1024;
