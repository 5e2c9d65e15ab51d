import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityMilliValue, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import type { Container, Pod, ResourceFieldSelector } from '../../../api/types/core-v1.ts';
import { ContainerConfigError } from './config-error.ts';

export interface PodAddresses {
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
}

/** Value of a field of the Pod for the downward API (environment and volumes). */
export function fieldValue(fieldPath: string, pod: DeepReadonly<Pod>, { podIPs, hostIPs }: PodAddresses): string {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (keyed) return metadata[keyed[1] === 'labels' ? 'labels' : 'annotations']?.[keyed[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels ?? {});
    case 'metadata.annotations':
      return formatMap(metadata.annotations ?? {});
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.podIP':
      return podIPs[0] ?? '';
    case 'status.podIPs':
      return podIPs.join(',');
    case 'status.hostIP':
      return hostIPs[0] ?? '';
    case 'status.hostIPs':
      return hostIPs.join(',');
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** One `key="value"` per line, sorted, quoted as in Go. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The resources that a node offers to Pods. They replace limits that a container does not have. CPU in millicores. */
export interface NodeAllocatable {
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
}

/** Value of a container's request or limit in units of the divisor, rounded up. */
export function resourceValue(
  selector: DeepReadonly<ResourceFieldSelector>,
  pod: DeepReadonly<Pod>,
  own: DeepReadonly<Container> | undefined,
  allocatable: NodeAllocatable,
): string {
  const { containerName, resource, divisor } = selector;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const container = containerName ? all.find(({ name }) => name === containerName) : own;
  if (!container) throw new ContainerConfigError(`container ${containerName} not found`);
  const match = /^(limits|requests)\.(.+)$/.exec(resource);
  if (!match) throw new ContainerConfigError(`Unsupported container resource : ${resource}`);
  const [, list, name = ''] = match;
  const limit = container.resources?.limits?.[name];
  const found = list === 'limits' ? limit : container.resources?.requests?.[name];
  const unit = divisor === undefined || String(divisor) === '0' ? '1' : String(divisor);
  const isCPU = name === 'cpu';
  const fallback = { cpu: allocatable.cpu, memory: allocatable.memory, 'ephemeral-storage': allocatable.ephemeralStorage }[name] ?? 0;
  let amount = list === 'limits' ? fallback : 0;
  if (found !== undefined) amount = isCPU ? quantityMilliValue(String(found)) : quantityValue(String(found));
  return String(Math.ceil(amount / (isCPU ? quantityMilliValue(unit) : quantityValue(unit))));
}
