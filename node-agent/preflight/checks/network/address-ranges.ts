import { type CIDR, cidrContains, parseCIDR, parseIP } from '../../../../api/base/ip-address.ts';
import { routeProtocol, vxlanDevice } from '../../../network/cni/pod-routes.ts';
import type { RouteFacts } from '../../../linux/survey/surveyed-machine.ts';
import { type Check, error, type Finding, orOK, warning } from '../../check.ts';

/** Ranges of Pods and Services against the machine's own addresses and routes. */
export const addressRanges: Check = {
  name: 'AddressRanges',
  run({ routes }, { clusterCIDRs, serviceCIDRs, areRangesCertain }) {
    const ranges = [
      ...clusterCIDRs.map((text) => ({ text, what: 'Pods', flag: '--cluster-cidr' })),
      ...serviceCIDRs.map((text) => ({ text, what: 'Services', flag: '--service-cidr' })),
    ];
    const outward = new Set(routes.filter(({ destination }) => destination === 'default').map(({ device }) => device));
    const findings = ranges.flatMap(({ text, what, flag }): Finding[] => {
      const range = parseCIDR(text);
      if (range === undefined) return [];
      const remedy = `choose another range on the first machine with ${flag}`;
      const if_ = areRangesCertain ? '' : 'if the cluster has the default ranges: ';
      const route = routes.find((one) => !isOwn(one) && overlaps(range, one));
      if (route === undefined) return [];
      // The others are reached by it: with bridges of other programs, it is only those that Pods do not reach.
      const isOwnNetwork = what === 'Pods' && route.gateway === undefined && outward.has(route.device);
      const message = `${if_}the range of ${what}, ${text}, overlaps with ${route.destination}, which is reached by ${route.device}`;
      return [(isOwnNetwork && areRangesCertain ? error : warning)('AddressRanges', message, remedy)];
    });
    return orOK(findings, addressRanges.name, ranges.map(({ text, what }) => `${what} ${text}`).join(', '));
  },
};

/** Whether a bridge or route belongs to kubets, from this start or an earlier one. */
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
