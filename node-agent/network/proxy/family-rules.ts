import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { type IPFamily, ofFamily } from '../../../api/semantics/services/ip-family.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import type { NFT } from '../../linux/nft/nft.ts';
import { createTableWriter, type TableSync } from './table-writer.ts';
import type { NodeIdentity } from './tracking/endpoint.ts';
import { type FindAddressProblem, planExternalIPs, type RefusedAddress } from './tracking/plan-external-ips.ts';
import { planServicePorts, type ServicePortRules } from './tracking/service-port-rules.ts';
import { planStaleConnections, type StaleConnections } from './tracking/stale-connections.ts';

export interface FamilyRulesDependencies {
  readonly nft: NFT;
  /** Ranges of all Pods, of any family. */
  readonly clusterCIDRs: readonly string[];
  readonly findAddressProblem: FindAddressProblem;
  /** Called when a Service (`namespace/name`) has external addresses that are refused; repeated with every update that has any. */
  readonly onRefused: (service: string, refused: readonly RefusedAddress[]) => void;
  readonly logger: Logger;
}

/** The rules of all Services for one address family. */
export interface FamilyRules {
  readonly family: IPFamily;
  /** Takes a Service and its slices; undefined: it is gone. Answers connections that go astray. */
  update(
    name: string,
    service: DeepReadonly<Service> | undefined,
    slices: readonly DeepReadonly<EndpointSlice>[],
    node: NodeIdentity,
  ): StaleConnections[];
  /** Addresses of the node that take traffic to node ports, of any family. */
  useNodePortIPs(addresses: readonly string[]): void;
  distrust(): void;
  sync(): Promise<TableSync>;
  /** Services with a traffic policy Local, and endpoints, but none here. */
  countWithoutLocalEndpoints(policy: 'internal' | 'external'): number;
}

const nodeOwner = ' node';

export function createFamilyRules(family: IPFamily, dependencies: FamilyRulesDependencies): FamilyRules {
  const clusterCIDRs = ofFamily(dependencies.clusterCIDRs, family);
  const writer = createTableWriter({ nft: dependencies.nft, family, clusterCIDRs, logger: dependencies.logger });
  const tracked = new Map<string, readonly ServicePortRules[]>();
  const withoutLocal = { internal: new Set<string>(), external: new Set<string>() };
  const mark = (set: Set<string>, name: string, isIn: boolean) => (isIn ? set.add(name) : set.delete(name));
  return {
    family,
    update(name, service, slices, node) {
      const wanted = service === undefined ? [] : planServicePorts(service, slices, node, family);
      const { ports, refused } = planExternalIPs(wanted, dependencies.findAddressProblem);
      if (refused.length > 0) dependencies.onRefused(name, refused);
      const stale = planStaleConnections(tracked.get(name) ?? [], ports);
      if (ports.length === 0) tracked.delete(name);
      else tracked.set(name, ports);
      // Only traffic that there are endpoints for elsewhere is dropped.
      mark(
        withoutLocal.internal,
        name,
        ports.some(({ internalVerdict }) => internalVerdict === 'drop'),
      );
      mark(
        withoutLocal.external,
        name,
        ports.some(({ externalVerdict }) => externalVerdict === 'drop'),
      );
      writer.claim(name, ports);
      return stale;
    },
    useNodePortIPs: (addresses) => writer.claimNode(nodeOwner, ofFamily(addresses, family)),
    distrust: () => writer.distrust(),
    sync: () => writer.sync(),
    countWithoutLocalEndpoints: (policy) => withoutLocal[policy].size,
  };
}
