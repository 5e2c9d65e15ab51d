/**
 * How Pods of other nodes are reached: by routes through the nodes, in VXLAN packets where there is a router in between, or
 * as a network plugin from elsewhere does it.
 */
export type PodNetworkMode = 'host-gw' | 'vxlan' | 'external';

export const podNetworkModes: readonly PodNetworkMode[] = ['host-gw', 'vxlan', 'external'];

/** Facts about a cluster that an agent needs to join it, besides the API server: in the ConfigMap kube-system/kubets-node-configuration. */
export interface NodeConfiguration {
  /** Range of all Pods. */
  readonly clusterCIDR: string;
  /** Addresses of cluster DNS, separated by commas. */
  readonly clusterDNS: string;
  readonly clusterDomain: string;
  readonly podNetwork: PodNetworkMode;
}

export const nodeConfigurationKey = { namespace: 'kube-system', name: 'kubets-node-configuration' };

/** Reads the configuration; a missing field has the default of `kubets server`. Throws where the pod network is none that is known. */
export function parseNodeConfiguration(data: Readonly<Record<string, string>> | undefined): NodeConfiguration {
  const value = (name: string, fallback: string) => data?.[name] || fallback;
  const podNetwork = podNetworkModes.find((mode) => mode === value('podNetwork', 'host-gw'));
  if (podNetwork === undefined) throw new Error(`the cluster's pod network ${data?.['podNetwork']} is not one that this agent knows`);
  return {
    clusterCIDR: value('clusterCIDR', '10.244.0.0/16'),
    clusterDNS: value('clusterDNS', '10.96.0.10'),
    clusterDomain: value('clusterDomain', 'cluster.local'),
    podNetwork,
  };
}
