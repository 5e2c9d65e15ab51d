import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type {
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  ExactDeviceRequest,
  DeviceSubRequest,
  DeviceToleration,
  ResourceClaim,
} from '../../../api/types/resource-v1.ts';

/** One alternative of a request of a claim. */
export interface Alternative {
  /** The name of the request, or `request/subrequest` for an alternative. */
  readonly name: string;
  readonly deviceClass: DeepReadonly<DeviceClass>;
  readonly selectors: readonly DeepReadonly<DeviceSelector>[];
  readonly wantsAll: boolean;
  /** Devices, unless all are wanted. */
  readonly count: number;
  /** The devices are looked into beside those who use them. */
  readonly adminAccess: boolean;
  readonly tolerations: readonly DeepReadonly<DeviceToleration>[];
}

/** A request of a claim with its alternatives, the preferred one first. */
export interface WantedDevices {
  readonly name: string;
  readonly alternatives: readonly Alternative[];
}

/** The devices that a claim asks for, or the reason why nothing can serve it. */
export function wantedDevices(
  claim: DeepReadonly<ResourceClaim>,
  findClass: (name: string) => DeepReadonly<DeviceClass> | undefined,
): { readonly wanted: readonly WantedDevices[] } | { readonly problem: string } {
  const wanted: WantedDevices[] = [];
  for (const request of claim.spec.devices?.requests ?? []) {
    const alternatives: Alternative[] = [];
    for (const { name, request: own } of formsOf(request)) {
      const deviceClass = findClass(own.deviceClassName);
      if (deviceClass === undefined) return { problem: `request ${name}: device class ${own.deviceClassName} does not exist` };
      alternatives.push({
        name,
        deviceClass,
        selectors: own.selectors ?? [],
        wantsAll: own.allocationMode === 'All',
        count: own.count ?? 1,
        adminAccess: 'adminAccess' in own && own.adminAccess === true,
        tolerations: own.tolerations ?? [],
      });
    }
    wanted.push({ name: request.name, alternatives });
  }
  return { wanted };
}

function formsOf({ name, exactly, firstAvailable = [] }: DeepReadonly<DeviceRequest>) {
  const forms: { readonly name: string; readonly request: DeepReadonly<ExactDeviceRequest | DeviceSubRequest> }[] = [];
  if (exactly !== undefined) forms.push({ name, request: exactly });
  for (const request of firstAvailable) forms.push({ name: `${name}/${request.name}`, request });
  return forms;
}

/** Whether a list of request names in a claim includes a chosen request: it is empty, or names the request or its parent. */
export function concernsRequest(requests: readonly string[] | undefined, chosen: string): boolean {
  return requests === undefined || requests.length === 0 || requests.some((name) => name === chosen || chosen.startsWith(`${name}/`));
}
