/** What an agent that joins a cluster has to know of it besides the API server: in the ConfigMap kube-system/kubets-node-configuration. */
export interface NodeConfiguration {
  /** Range of all Pods. */
  readonly clusterCIDR: string;
  /** Addresses of cluster DNS, separated by commas. */
  readonly clusterDNS: string;
  readonly clusterDomain: string;
  /** host-gw, vxlan or external. */
  readonly podNetwork: string;
}

export const nodeConfigurationKey = { namespace: 'kube-system', name: 'kubets-node-configuration' };

export function parseNodeConfiguration(data: Readonly<Record<string, string>> | undefined): NodeConfiguration {
  const value = (name: string, fallback: string) => data?.[name] || fallback;
  return {
    clusterCIDR: value('clusterCIDR', '10.244.0.0/16'),
    clusterDNS: value('clusterDNS', '10.96.0.10'),
    clusterDomain: value('clusterDomain', 'cluster.local'),
    podNetwork: value('podNetwork', 'host-gw'),
  };
}
