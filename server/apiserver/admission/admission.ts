import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { EscalationGuard } from '../authorization/escalation.ts';
import type { PolicyMetrics } from '../metrics/policy-metrics.ts';
import type { WebhookMetrics } from '../metrics/webhook-metrics.ts';
import type { Expressions } from './expressions/expressions.ts';
import type { OperationOptions } from '../request/operation-options.ts';
import type { ConvertObjects } from '../webhooks/convert-objects.ts';
import type { HookCaller } from '../webhooks/hook-caller.ts';
import type { EquivalentResources } from './matching/equivalent-resources.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** The fully qualified kind of an object. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** State that both runs of the mutating phase share. The second one begins if a webhook or policy has requested it. */
export interface Reinvocation {
  /** Whether the plugins run for the second time. */
  isSecondRun: boolean;
  /** Whether the plugins shall run once more. */
  isWanted: boolean;
  /** Notes that a plugin keeps from its first run for its second, by its name. */
  readonly notes: Map<string, unknown>;
}

/** A write on its way to the registry. Mutating plugins modify `object`; validating ones must not. */
export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  /** The resource as it was requested; matchPolicy Equivalent may show it to webhooks and policies in another version. */
  readonly resource: ResourceDefinition;
  readonly subresource: string;
  /** The kind of `object` and `oldObject`: that of the resource, or of its subresource (Scale, Eviction, PodExecOptions). */
  readonly kind: GroupVersionKind;
  /** '' for objects of the cluster, Namespaces too; see namespaceOf. */
  readonly namespace: string;
  /** '' in the mutating phase of a create with generateName, and where a whole collection is deleted. */
  readonly name: string;
  /** New object (CREATE, UPDATE, body of CONNECT); absent for DELETE. */
  readonly object?: UntypedObject;
  readonly oldObject?: DeepReadonly<UntypedObject>;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions with kind and apiVersion. Absent for CONNECT. */
  readonly options?: OperationOptions;
  /** Aborted when the client is gone or the time of the request is over. */
  readonly signal: AbortSignal;
  /** The end of the request's time by the monotonic clock. Absent: it has none. */
  readonly deadlineMs?: number | undefined;
  readonly reinvocation: Reinvocation;
  /** Converts custom objects by webhooks. Absent: there are none, or they cannot be asked. */
  readonly convertObjects?: ConvertObjects;
  addWarning(text: string): void;
  /** Adds an annotation to the events of the audit log, from a level on (default Metadata). Absent: the request is not audited. */
  annotate?(key: string, value: string, level?: 'Request'): void;
}

/** The dependencies of plugins. They read and write through the API like everyone else. */
export interface AdmissionDependencies {
  /** Acts as the API server itself. */
  readonly client: Client;
  /** Reads an informer's store, which may lag behind: missing objects are looked up with `client`. */
  lister<T extends KubeObject>(resource: ResourceDefinition<T>): Lister<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly authorizer: Authorizer;
  readonly escalation: EscalationGuard;
  /** Everything that is served at this moment, in the order of discovery. */
  definitions(): readonly ResourceDefinition[];
  /** The other ways in which resources are served. */
  readonly equivalents: EquivalentResources;
  /** Whether the informer of a resource has its first list, which is waited for a while. */
  synced(resource: ResourceDefinition, timeoutMs: number): Promise<boolean>;
  readonly expressions: Expressions;
  readonly policyMetrics: PolicyMetrics;
  readonly hooks: HookCaller;
  readonly webhookMetrics: WebhookMetrics;
  /** Gives other work of the event loop a turn. */
  nextTurn(): Promise<void>;
  readonly logger: Logger;
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
