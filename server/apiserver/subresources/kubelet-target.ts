import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { unexpectedError } from '../../../api/meta/status-errors.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { DialTarget, SubresourceDependencies } from './subresource.ts';

const defaultKubeletPort = 10_250;

/** The types of a node's addresses at which its kubelet is asked, the best first. */
const preferredTypes = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS', 'ExternalIP'];

/** The address and port of a node's kubelet. */
export async function kubeletTarget(nodeName: string, { storeFor }: SubresourceDependencies, signal: AbortSignal): Promise<DialTarget> {
  const store = storeFor(nodes);
  const node = store.read(await store.get({ namespace: '', name: nodeName }, signal)) as unknown as DeepReadonly<Node>;
  return targetOf(node);
}

export function targetOf({ status }: DeepReadonly<Node>): DialTarget & { readonly kubelet: true } {
  const addresses = status?.addresses ?? [];
  for (const type of preferredTypes) {
    const found = addresses.find((address) => address.type === type && address.address !== '');
    if (found) {
      const port = status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultKubeletPort;
      return { scheme: 'https', host: found.address, port, kubelet: true, refuseLocal: true };
    }
  }
  const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(' ');
  throw unexpectedError(`no preferred addresses found; known addresses: [${known}]`);
}
