import { formatIP, networkAddress, parseCIDR } from '../../../api/base/ip-address.ts';
import { familyOf } from '../../../api/semantics/services/ip-family.ts';

/** The pod network of one node. */
export interface PodNetworkPlan {
  readonly bridge: string;
  /** The ranges of the node's Pods, at most one of each family, e.g. 10.244.0.0/24; their first addresses are the gateway's. */
  readonly podCIDRs: readonly string[];
  /** Bytes of the largest packet that gets through to Pods of other nodes. */
  readonly mtu: number;
  /** The directory in which host-local keeps the addresses in use. */
  readonly ipamDirectory: string;
  /** Whether there is the plugin that limits bandwidth, as Pods may ask for by annotations. */
  readonly limitsBandwidth: boolean;
}

/**
 * The CNI configuration: a bridge in which every pod reaches every other, addresses in order from the node's ranges, host
 * ports, and bandwidth. Masquerading is not the bridge plugin's business: it would hide pods from pods of other nodes.
 */
export function podNetworkConflist({ bridge, podCIDRs, mtu, ipamDirectory, limitsBandwidth }: PodNetworkPlan): string {
  const configuration = {
    cniVersion: '1.0.0',
    name: 'kubets',
    // The bandwidth plugin of distributions crashes when a runtime checks a Pod that is not limited, as CRI-O does.
    disableCheck: true,
    plugins: [
      {
        type: 'bridge',
        bridge,
        mtu,
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        promiscMode: false,
        // A node that was deleted and registers anew is given another range.
        forceAddress: true,
        ipam: {
          type: 'host-local',
          ranges: podCIDRs.map((subnet) => [{ subnet, gateway: gatewayOf(subnet) }]),
          routes: podCIDRs.map((subnet) => ({ dst: familyOf(subnet) === 'IPv6' ? '::/0' : '0.0.0.0/0' })),
          dataDir: ipamDirectory,
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
      ...(limitsBandwidth ? [{ type: 'bandwidth', capabilities: { bandwidth: true } }] : []),
    ],
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** The first address of the range. Throws for a text that is not a range. */
export function gatewayOf(cidr: string): string {
  const range = parseCIDR(cidr);
  if (range === undefined) throw new Error(`${cidr} is not a range of addresses`);
  const { version, value } = networkAddress(range);
  return formatIP({ version, value: value + 1n });
}
