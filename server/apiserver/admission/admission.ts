import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { EscalationGuard } from '../authorization/escalation.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One write on its way to the registry. Mutating plugins modify `object`; validating ones must not. */
export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly resource: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
  /** '' on create with generateName. */
  readonly name: string;
  /** New object (CREATE, UPDATE, body of CONNECT); absent for DELETE. */
  readonly object?: UntypedObject;
  readonly oldObject?: DeepReadonly<UntypedObject>;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  addWarning(text: string): void;
  /** Adds an annotation to the events of the audit log. Absent: the request is not audited. */
  annotate?(key: string, value: string): void;
}

/** The dependencies of plugins. They read and write through the API like everyone else. */
export interface AdmissionDependencies {
  /** Acts as the API server itself. */
  readonly client: Client;
  /** Reads an informer's store, which may lag behind: what is missing there is looked up with `client`. */
  lister<T extends KubeObject>(resource: ResourceDefinition<T>): Lister<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly authorizer: Authorizer;
  readonly escalation: EscalationGuard;
}

/** Declared with defineAdmissionPlugin, one file each in plugins/, in the order of plugins.ts. Throws StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  readonly operations: readonly AdmissionOperation[];
  /** The resources that the plugin handles, in whatever version; requests for others pass it by. Absent: everything. */
  readonly resources?: readonly ResourceDefinition[];
  /** Resources that the plugin lists: their informers are asked for before the server starts, so that they have synced. */
  readonly reads?: readonly ResourceDefinition[];
  /** Mutating phase. */
  admit?(request: AdmissionRequest, dependencies: AdmissionDependencies): Promise<void>;
  /** Validating phase, after the registry has prepared and validated the object. */
  validate?(request: AdmissionRequest, dependencies: AdmissionDependencies): Promise<void>;
}

export function defineAdmissionPlugin(plugin: AdmissionPlugin): AdmissionPlugin {
  return plugin;
}

/** Both phases of admission, as the dispatcher offers them. */
export interface Admission {
  mutate(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}
