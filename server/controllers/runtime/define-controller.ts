import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { WatchedValue } from '../../../api/base/watched-value.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import type { Informer, Lister } from '../../../api/client/informers/informer.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../../../api/meta/object.ts';
import { findController } from '../../../api/meta/owner-references.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

export interface ReconcileResult {
  readonly requeueAfterSeconds?: number;
}

/** The result when there is no more work until a change. */
export const done: ReconcileResult = {};

/** Look again after that time, also when nothing changes. */
export function requeueAfterSeconds(seconds: number): ReconcileResult {
  return { requeueAfterSeconds: seconds };
}

/** An error that trying again cannot mend: it is logged and the key dropped until its object changes. */
export class TerminalError extends Error {
  constructor(error: unknown) {
    super(error instanceof Error ? error.message : String(error), { cause: error });
    this.name = 'TerminalError';
  }
}

export function terminal(error: unknown): TerminalError {
  return new TerminalError(error);
}

/** The dependencies of a controller. Data that it reads from caches may be behind the API by a moment. */
export interface ControllerDependencies {
  /** Acts as the controller's own service account. */
  readonly client: Client;
  /** The lister of a resource that the controller declared or asked for while it was set up. */
  lister<T extends KubeObject>(resource: ResourceDefinition<T>): Lister<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventRecorder;
  /** Aborted when the controllers stop. */
  readonly signal: AbortSignal;
}

export interface ControllerSetup extends ControllerDependencies {
  informer<T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T>;
  /** Has the key reconciled, at once or later. */
  enqueue(key: ObjectKey, afterSeconds?: number): void;
}

export type Reconcile = (key: ObjectKey) => Promise<ReconcileResult>;

/** A resource whose objects' additions, changes (asked for old and new) and deletions give keys to reconcile. */
export interface Watch {
  attach(setup: ControllerSetup): void;
}

export interface Controller {
  /** The controller's name in `--controllers`, logs and metrics. */
  readonly name: string;
  /** The name of the service account in kube-system and of the role system:controller:<name> that it acts with. */
  readonly account: string;
  /** The controller's name as the source of Events. */
  readonly component: string;
  readonly workers: number;
  /**
   * After a reconciliation a key waits this many times as long as the reconciliation took (at most a quarter of a second), so that changes
   * meanwhile are handled together. For keys that many objects concern. Absent: 0.
   */
  readonly spacing?: number;
  /** Its ClusterRole. */
  readonly rules: readonly PolicyRule[];
  /** Resources of which the controller reads only one namespace. Absent: none. */
  readonly namespaces?: readonly (readonly [ResourceDefinition, string])[];
  /** Attaches to informers and returns the function that handles one key. Called once, before the informers are synced. */
  start(setup: ControllerSetup): Reconcile;
}

interface ControllerDeclaration<T extends KubeObject> {
  readonly name: string;
  readonly account: string;
  /** Default: the name. */
  readonly component?: string;
  /** The kind whose keys are reconciled. */
  readonly for: ResourceDefinition<T>;
  /** The changes of an object of that kind that matter. Default: all. */
  readonly concerns?: (object: DeepReadonly<T>, old: DeepReadonly<T>) => boolean;
  readonly watches?: readonly Watch[];
  /** Resources that are read through listers; their changes enqueue no keys. */
  readonly reads?: readonly ResourceDefinition[];
  /** Resources of which the controller reads only one namespace. */
  readonly namespaces?: readonly (readonly [ResourceDefinition, string])[];
  /** Keys worked on at the same time, default 5. */
  readonly workers?: number;
  /** See Controller. */
  readonly spacing?: number;
  readonly rules: readonly PolicyRule[];
}

type Handling =
  | { reconcile(key: ObjectKey, dependencies: ControllerDependencies): Promise<ReconcileResult> }
  /** For controllers with their own state, such as expectations. */
  | { setUp(setup: ControllerSetup): Reconcile };

/** Declares a controller: its kind, the other resources that concern it, its permissions, and the function that handles one key. */
export function defineController<T extends KubeObject>(declaration: ControllerDeclaration<T> & Handling): Controller {
  const { name, account, component = name, workers = 5, spacing = 0, rules, namespaces = [] } = declaration;
  return {
    name,
    account,
    component,
    workers,
    spacing,
    rules,
    namespaces,
    start(setup) {
      const enqueue = (object: DeepReadonly<T>) => setup.enqueue(keyOf(object));
      for (const read of declaration.reads ?? []) setup.informer(read);
      const reconcile: Reconcile = 'setUp' in declaration ? declaration.setUp(setup) : (key) => declaration.reconcile(key, setup);
      for (const watch of declaration.watches ?? []) watch.attach(setup);
      const { concerns = () => true } = declaration;
      setup.informer(declaration.for).addHandler({
        onAdd: enqueue,
        onUpdate: (object, old) => concerns(object, old) && enqueue(object),
        onDelete: enqueue,
      });
      return reconcile;
    },
  };
}

/** Watches a resource whose objects map to keys. With `concerns`, only the changes for which it returns true count. */
export function watching<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  keysOf: (object: DeepReadonly<T>, dependencies: ControllerDependencies) => readonly ObjectKey[],
  concerns: (object: DeepReadonly<T>, old: DeepReadonly<T>) => boolean = () => true,
): Watch {
  return {
    attach(setup) {
      const enqueue = (object: DeepReadonly<T>) => {
        for (const key of keysOf(object, setup)) setup.enqueue(key);
      };
      setup.informer(resource).addHandler({
        onAdd: enqueue,
        onDelete: enqueue,
        onUpdate(object, old) {
          if (!concerns(object, old)) return;
          enqueue(old);
          enqueue(object);
        },
      });
    },
  };
}

/** Has every object of a resource reconciled when a value changes that all of them depend on. */
export function enqueueingAll<T extends KubeObject>(resource: ResourceDefinition<T>, value: WatchedValue<unknown>): Watch {
  return {
    attach(setup) {
      value.onChange(() => {
        for (const object of setup.lister(resource).list()) setup.enqueue(keyOf(object));
      });
    },
  };
}

/** Watches objects that are controlled by objects of `owner`. */
export function owning<T extends KubeObject>(resource: ResourceDefinition<T>, owner: Pick<ResourceDefinition, 'names'>): Watch {
  return watching(resource, (object) => {
    const reference = findController(object);
    if (reference?.kind !== owner.names.kind) return [];
    return [{ namespace: object.metadata.namespace ?? '', name: reference.name }];
  });
}
