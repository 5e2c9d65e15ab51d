import { type CIDR, cidrContains, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import { routeProtocol, vxlanDevice } from '../../cni/pod-routes.ts';
import type { RouteFacts } from '../../linux/survey/surveyed-machine.ts';
import { type Check, error, type Finding, orOK, warning } from '../check.ts';

/** Ranges of Pods and Services against the machine's own addresses and routes. */
export const addressRanges: Check = {
  name: 'AddressRanges',
  run({ addresses, routes }, { clusterCIDRs, serviceCIDRs, areRangesCertain }) {
    const ranges = [
      ...clusterCIDRs.map((text) => ({ text, what: 'Pods', flag: '--cluster-cidr' })),
      ...serviceCIDRs.map((text) => ({ text, what: 'Services', flag: '--service-cidr' })),
    ];
    const findings = ranges.flatMap(({ text, what, flag }): Finding[] => {
      const range = parseCIDR(text);
      if (range === undefined) return [];
      const remedy = `choose another range on the first machine with ${flag}`;
      const if_ = areRangesCertain ? '' : 'if the cluster has the default ranges: ';
      const route = routes.find((one) => !isOwn(one) && overlaps(range, one));
      if (route === undefined) return [];
      const isOwnNetwork = what === 'Pods' && addresses.some((address) => route.gateway === undefined && contains(route, address));
      const message = `${if_}the range of ${what}, ${text}, overlaps with ${route.destination}, which is reached by ${route.device}`;
      return [(isOwnNetwork && areRangesCertain ? error : warning)('AddressRanges', message, remedy)];
    });
    return orOK(findings, addressRanges.name, ranges.map(({ text, what }) => `${what} ${text}`).join(', '));
  },
};

/** Bridges and routes of kubets, of this start or an earlier one. */
function isOwn({ device, protocol }: RouteFacts): boolean {
  return device === 'cni0' || device === vxlanDevice || device.startsWith('kubets-') || protocol === routeProtocol;
}

function rangeOf({ destination }: RouteFacts): CIDR | undefined {
  const address = parseIP(destination);
  return address === undefined ? parseCIDR(destination) : { address, prefixLength: address.version === 4 ? 32 : 128 };
}

function overlaps(range: CIDR, route: RouteFacts): boolean {
  const other = rangeOf(route);
  if (other === undefined || other.address.version !== range.address.version) return false;
  return cidrContains(range, other.address) || cidrContains(other, range.address);
}

function contains(route: RouteFacts, text: string): boolean {
  const [range, address] = [rangeOf(route), parseIP(text)];
  return range !== undefined && address !== undefined && range.address.version === address.version && cidrContains(range, address);
}
