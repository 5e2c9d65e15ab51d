import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type CIDR, cidrContains, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import type { Node, Service } from '../../../api/types/core-v1.ts';
import { canonicalIP } from './tracking/endpoint.ts';
import type { FindAddressProblem } from './tracking/plan-external-ips.ts';
import type { ServicePortRules } from './tracking/service-port-rules.ts';

/** The owners of addresses in this cluster, so that no Service takes over those of others by naming them as its external IPs. */
export interface TakenAddresses {
  /** Why a port of a Service may not be reached at an address. */
  findProblem: FindAddressProblem;
  /** Calls back with each Service, as `namespace/name`, whose external IPs are to be looked at again. Answers how to stop. */
  follow(onAffected: (service: string) => void): () => void;
  /** Resolves when the ranges of Services are known. */
  synced(signal: AbortSignal): Promise<void>;
}

const byClusterIP = 'proxy/cluster-ip';
const byExternalIP = 'proxy/external-ip';
const byLoadBalancerIP = 'proxy/load-balancer-ip';
const byNodeAddress = 'proxy/node-address';

const canonical = (addresses: readonly (string | undefined)[]) => addresses.flatMap((address) => canonicalIP(address) ?? []);
const clusterIPsOf = ({ spec }: DeepReadonly<Service>) => canonical(spec?.clusterIPs ?? [spec?.clusterIP]);
const externalIPsOf = ({ spec }: DeepReadonly<Service>) => canonical(spec?.externalIPs ?? []);
const loadBalancerIPsOf = ({ status }: DeepReadonly<Service>) => canonical((status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
const addressesOf = ({ status }: DeepReadonly<Node>) => canonical((status?.addresses ?? []).map(({ address }) => address));
const keyOf = ({ metadata }: DeepReadonly<Service>) => `${metadata.namespace}/${metadata.name}`;

export function createTakenAddresses(informers: InformerFactory, clusterCIDRs: readonly string[]): TakenAddresses {
  const serviceInformer = informers.informer(services);
  const nodeInformer = informers.informer(nodes);
  const rangeInformer = informers.informer(serviceCIDRs);
  serviceInformer.addIndex(byClusterIP, clusterIPsOf);
  serviceInformer.addIndex(byExternalIP, externalIPsOf);
  serviceInformer.addIndex(byLoadBalancerIP, loadBalancerIPsOf);
  nodeInformer.addIndex(byNodeAddress, addressesOf);
  const podRanges = rangesOf(clusterCIDRs);
  let serviceRanges: readonly CIDR[] = [];
  return {
    findProblem(ip, kind, port) {
      const owns = (service: DeepReadonly<Service>) => keyOf(service) === `${port.namespace}/${port.service}`;
      if (serviceInformer.lister.byIndex(byClusterIP, ip).length > 0) return 'it is the cluster IP of a Service';
      const address = parseIP(ip);
      const isIn = (ranges: readonly CIDR[]) => address !== undefined && ranges.some((range) => cidrContains(range, address));
      if (isIn(serviceRanges)) return 'it is in the range of cluster IPs';
      // Load balancer addresses are written only by clients that may write the status of Services.
      if (kind === 'loadBalancer') return undefined;
      if (isIn(podRanges)) return 'it is in the range of Pods';
      if (nodeInformer.lister.byIndex(byNodeAddress, ip).length > 0) return 'it is an address of a node';
      if (serviceInformer.lister.byIndex(byLoadBalancerIP, ip).some((other) => !owns(other))) return 'a load balancer has it';
      const others = serviceInformer.lister.byIndex(byExternalIP, ip);
      return others.length > 1 && isTakenByOlder(others, port) ? 'an older Service has it at the same port' : undefined;
    },
    follow(onAffected) {
      const naming = (addresses: readonly string[]) => {
        for (const ip of addresses) for (const service of serviceInformer.lister.byIndex(byExternalIP, ip)) onAffected(keyOf(service));
      };
      const all = () => {
        for (const service of serviceInformer.lister.list())
          if ((service.spec?.externalIPs ?? []).length > 0 || loadBalancerIPsOf(service).length > 0) onAffected(keyOf(service));
      };
      const rangesChanged = () => {
        serviceRanges = rangesOf(rangeInformer.lister.list().flatMap(({ spec }) => spec?.cidrs ?? []));
        all();
      };
      const removers = [
        followAddresses(
          serviceInformer,
          (service) => [...clusterIPsOf(service), ...externalIPsOf(service), ...loadBalancerIPsOf(service)],
          naming,
        ),
        followAddresses(nodeInformer, addressesOf, naming),
        rangeInformer.addHandler({ onAdd: rangesChanged, onUpdate: rangesChanged, onDelete: rangesChanged }),
      ];
      return () => {
        for (const remove of removers) remove();
      };
    },
    synced: (signal) => rangeInformer.synced(signal),
  };
}

/** Reports added and removed addresses. Those at the start are read in any case. */
function followAddresses<T extends Service | Node>(
  informer: Informer<T>,
  addressesOfObject: (object: DeepReadonly<T>) => readonly string[],
  onChange: (addresses: readonly string[]) => void,
): () => void {
  return informer.addHandler({
    onAdd: (object) => {
      if (informer.hasSynced()) onChange(addressesOfObject(object));
    },
    onUpdate(object, old) {
      const [now, before] = [new Set(addressesOfObject(object)), new Set(addressesOfObject(old))];
      onChange([...[...now].filter((ip) => !before.has(ip)), ...[...before].filter((ip) => !now.has(ip))]);
    },
    onDelete: (object) => onChange(addressesOfObject(object)),
  });
}

function isTakenByOlder(others: readonly DeepReadonly<Service>[], port: ServicePortRules): boolean {
  const own = others.find((other) => keyOf(other) === `${port.namespace}/${port.service}`);
  const ageOf = ({ metadata }: DeepReadonly<Service>) => `${metadata.creationTimestamp ?? ''} ${metadata.uid ?? ''}`;
  return others.some(
    (other) =>
      other !== own &&
      (own === undefined || ageOf(other) < ageOf(own)) &&
      (other.spec?.ports ?? []).some(
        ({ port: number, protocol = 'TCP' }) => number === port.port && protocol.toLowerCase() === port.protocol,
      ),
  );
}

function rangesOf(cidrs: readonly string[]): CIDR[] {
  return cidrs.flatMap((cidr) => parseCIDR(cidr) ?? []);
}
