import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { DeviceSetup } from './device-plugin-services.ts';

export interface DeviceAllocation {
  readonly resource: string;
  readonly ids: readonly string[];
  readonly setup: DeviceSetup;
}

/** By container. */
export type PodDevices = ReadonlyMap<string, readonly DeviceAllocation[]>;

interface DeviceRequest {
  readonly container: string;
  readonly resource: string;
  readonly count: number;
  /** Ordinary init containers have ended when the others begin: their devices are used again. */
  readonly isPassing: boolean;
}

/** A Pod's requests for resources of plugins, in the order of their start. */
export function deviceRequests({ spec }: DeepReadonly<Pod>, isOfPlugins: (resource: string) => boolean): DeviceRequest[] {
  const init = (spec?.initContainers ?? []).map((container) => ({ container, isPassing: !isRestartableInitContainer(container) }));
  const main = (spec?.containers ?? []).map((container) => ({ container, isPassing: false }));
  return [...init, ...main].flatMap(({ container: { name, resources }, isPassing }) =>
    Object.entries(resources?.limits ?? {}).flatMap(([resource, quantity]) => {
      const count = quantityValue(quantity);
      return count > 0 && isOfPlugins(resource) ? [{ container: name, resource, count, isPassing }] : [];
    }),
  );
}

interface Choice {
  /** Have to be among them: the Pod has them already. */
  readonly mustInclude: readonly string[];
  /** May be given, those that must be included among them. */
  readonly available: readonly string[];
}

/** Chooses devices for a container, or returns why there are too few. */
export function chooseAmong(
  { resource, count }: DeviceRequest,
  healthy: readonly string[],
  inUse: ReadonlySet<string>,
  reusable: ReadonlySet<string>,
): Choice | { readonly problem: string } {
  const mustInclude = healthy.filter((id) => reusable.has(id)).slice(0, count);
  const free = healthy.filter((id) => !inUse.has(id) && !mustInclude.includes(id));
  const needed = count - mustInclude.length;
  if (needed > free.length) {
    return {
      problem: `requested number of devices unavailable for ${resource}. Requested: ${needed}, Available: ${free.length}`,
    };
  }
  return { mustInclude, available: [...mustInclude, ...free] };
}

/** Corrects a plugin's preferred devices: the plugin may name too few, too many, or unknown ones. */
export function settleChoice({ mustInclude, available }: Choice, preferred: readonly string[], count: number): string[] {
  const wanted = [...mustInclude, ...preferred.filter((id) => available.includes(id)), ...available];
  return [...new Set(wanted)].slice(0, count);
}
