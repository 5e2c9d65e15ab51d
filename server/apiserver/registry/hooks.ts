import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';

/** Completes or reverts what a hook has begun, once the result of the write is known. */
export interface HookOutcome {
  commit(): Promise<void> | void;
  rollback(): Promise<void> | void;
}

/**
 * The side effects of a resource's writes: the allocation of addresses and ports, and further objects that are written along. One file each
 * in registry/allocation; they run after the kind's own preparation and before validation.
 */
export interface RegistryHooks {
  beginCreate?(object: UntypedObject, context: { readonly dryRun: boolean }): Promise<HookOutcome | undefined>;
  beginUpdate?(
    object: UntypedObject,
    old: DeepReadonly<UntypedObject>,
    context: { readonly dryRun: boolean },
  ): Promise<HookOutcome | undefined>;
  /** The object is gone from the store. */
  afterDelete?(object: DeepReadonly<UntypedObject>): Promise<void>;
}
