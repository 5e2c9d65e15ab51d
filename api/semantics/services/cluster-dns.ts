import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { ObjectKey } from '../../meta/object.ts';
import type { Node } from '../../types/core-v1.ts';

/** The Service through which Pods reach the cluster's DNS; named kube-dns for ever, since tools ask for it by that name. */
export const clusterDNSService: ObjectKey = { namespace: 'kube-system', name: 'kube-dns' };

/** Port of the DNS server that runs on every node, the target of the Service: the machine's own port 53 may be taken. */
export const clusterDNSPort = 10_053;

/** Whether the node answers DNS queries: true for nodes of the kubets agent. Pods on other nodes ask those that do. */
export function servesClusterDNS({ status }: DeepReadonly<Node>): boolean {
  return /\+kubets\b/.test(status?.nodeInfo?.kubeletVersion ?? '');
}
