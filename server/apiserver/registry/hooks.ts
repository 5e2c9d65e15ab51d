import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';

/** Undoes or completes what a hook began, once the outcome of the write is known. */
export interface HookOutcome {
  commit(): Promise<void> | void;
  rollback(): Promise<void> | void;
}

/**
 * The effects of a resource beyond its pure definition: allocation of addresses and ports, further objects that are written
 * along. One file each in registry/allocation; runs after the kind's own preparation and before validation.
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
