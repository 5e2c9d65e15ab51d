import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { CertificateRequestFacts } from '../../../api/semantics/certificate-request.ts';

/**
 * The first name or address in a request that is not the node's alone: one that the Node does not state, or that another
 * node states too. Undefined if the request may be granted.
 */
export function findForeignName(
  request: Pick<CertificateRequestFacts, 'dnsNames' | 'addresses'>,
  node: DeepReadonly<Node>,
  all: readonly DeepReadonly<Node>[],
): string | undefined {
  const own = statedBy(node);
  const others = new Set(all.filter(({ metadata }) => metadata.name !== node.metadata.name).flatMap(statedBy));
  return [...request.dnsNames, ...request.addresses].find((name) => !own.includes(name) || others.has(name));
}

function statedBy({ metadata, status }: DeepReadonly<Node>): string[] {
  return [metadata.name ?? '', ...(status?.addresses ?? []).map(({ address }) => address)];
}
