import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { findTargetPort } from '../../../api/semantics/pods/pod-ports.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '../../../api/types/core-v1.ts';
import { endpointHostname, isEndpoint } from '../runtime/service-pods.ts';

/** The maximum number of addresses of an Endpoints object; EndpointSlices have them all. */
const maxAddresses = 1000;

interface Subsets {
  readonly subsets: EndpointSubset[];
  readonly isTruncated: boolean;
}

/** The subsets of a Service's Endpoints: addresses by the ports they have, in a fixed order. */
export function subsetsOf(service: DeepReadonly<Service>, pods: readonly DeepReadonly<Pod>[]): Subsets {
  const publishesNotReady = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  for (const pod of pods) {
    if (!isEndpoint(pod, publishesNotReady)) continue;
    const ip = addressOf(pod, service);
    if (ip === undefined) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    const list = publishesNotReady || isPodReady(pod) ? group.ready : group.notReady;
    list.push(endpointAddress(service, pod, ip));
  }
  return truncate(
    [...groups.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { ports, ready, notReady }]) => ({
        ...(ready.length > 0 ? { addresses: ready.sort(byAddress) } : {}),
        ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byAddress) } : {}),
        ...(ports.length > 0 ? { ports } : {}),
      })),
  );
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1;
}

/** Ready addresses first. */
function truncate(subsets: EndpointSubset[]): Subsets {
  const count = (key: 'addresses' | 'notReadyAddresses') => subsets.reduce((sum, subset) => sum + (subset[key]?.length ?? 0), 0);
  if (count('addresses') + count('notReadyAddresses') <= maxAddresses) return { subsets, isTruncated: false };
  let room = maxAddresses;
  const kept: EndpointSubset[] = subsets.map(({ ports }) => (ports === undefined ? {} : { ports }));
  for (const key of ['addresses', 'notReadyAddresses'] as const) {
    for (const [index, subset] of subsets.entries()) {
      const taken = (subset[key] ?? []).slice(0, room);
      room -= taken.length;
      const target = kept[index];
      if (taken.length > 0 && target !== undefined) target[key] = taken;
    }
  }
  return { subsets: kept.filter((subset) => subset.addresses || subset.notReadyAddresses), isTruncated: true };
}

function addressOf(pod: DeepReadonly<Pod>, service: DeepReadonly<Service>): string | undefined {
  const wantsIPv6 = service.spec?.ipFamilies?.[0] === 'IPv6';
  const all = pod.status?.podIPs?.map(({ ip }) => ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return all.find((ip) => ip.includes(':') === wantsIPv6);
}

function endpointAddress(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>, ip: string): EndpointAddress {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const hostname = endpointHostname(pod, service);
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ip,
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function portsOf(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = findTargetPort(pod, servicePort);
    if (port === undefined) continue;
    const { name, protocol = 'TCP', appProtocol } = servicePort;
    ports.push({
      ...(appProtocol === undefined ? {} : { appProtocol }),
      ...(name ? { name } : {}),
      port,
      protocol: protocol as NonNullable<EndpointPort['protocol']>,
    });
  }
  return ports;
}
