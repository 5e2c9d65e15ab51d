import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodAddresses } from '../containers/field-values.ts';
import type { RuntimePod } from '../runtime/runtime-pod.ts';

/** The Pod's own addresses (the node's, if it uses its network) and those of its node. */
export function addressesOf(pod: DeepReadonly<Pod>, runtimePod: RuntimePod, { hostIPs }: Pick<PodAddresses, 'hostIPs'>): PodAddresses {
  if (pod.spec?.hostNetwork) return { podIPs: hostIPs, hostIPs };
  const network = runtimePod.sandboxes[0]?.network;
  const podIPs = network?.ip ? [network.ip, ...network.additional_ips.map(({ ip }) => ip)] : [];
  return { podIPs, hostIPs };
}
