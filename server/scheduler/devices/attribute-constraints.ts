import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { DeviceAttribute, DeviceConstraint } from '../../../api/types/resource-v1.ts';
import type { PoolDevice } from './device-pools.ts';
import { concernsRequest } from './device-requests.ts';

/** A device of a solution, with the request that it serves. */
export interface Placed {
  readonly request: string;
  readonly found: PoolDevice;
}

/** Whether a device satisfies the constraints together with the devices chosen for the same claim before. */
export function satisfiesConstraints(
  constraints: readonly DeepReadonly<DeviceConstraint>[],
  placed: readonly Placed[],
  next: Placed,
): boolean {
  return constraints.every(({ matchAttribute, distinctAttribute, requests }) => {
    if (!concernsRequest(requests, next.request)) return true;
    const name = matchAttribute ?? distinctAttribute;
    const value = name === undefined ? undefined : findAttribute(next.found, name);
    if (name === undefined || value === undefined) return false;
    const others = placed.filter(({ request }) => concernsRequest(requests, request));
    return others.every(({ found }) => isSameValue(value, findAttribute(found, name)) === (matchAttribute !== undefined));
  });
}

/** By its full name; in the driver's own domain devices may leave the domain out. */
function findAttribute({ driver, device }: PoolDevice, name: string): DeepReadonly<DeviceAttribute> | undefined {
  const full = device.attributes?.[name];
  if (full !== undefined || !name.startsWith(`${driver}/`)) return full;
  return device.attributes?.[name.slice(driver.length + 1)];
}

const kinds = ['string', 'int', 'bool', 'version'] as const;

function isSameValue(a: DeepReadonly<DeviceAttribute>, b: DeepReadonly<DeviceAttribute> | undefined): boolean {
  return kinds.some((kind) => a[kind] !== undefined && a[kind] === b?.[kind]);
}
