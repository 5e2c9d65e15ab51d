/** The pod network of one node. */
export interface PodNetworkPlan {
  readonly bridge: string;
  /** IPv4 range of the node's pods, e.g. 10.244.0.0/24; its first address is the gateway's. */
  readonly podCIDR: string;
  /** Bytes of the largest packet that gets through to Pods of other nodes. */
  readonly mtu: number;
  /** Where host-local keeps which addresses are taken. */
  readonly ipamDirectory: string;
}

/**
 * The CNI configuration: a bridge in which every pod reaches every other, addresses in order from the node's range, and
 * host ports. Masquerading is not the bridge plugin's business: it would hide pods from pods of other nodes.
 */
export function podNetworkConflist({ bridge, podCIDR, mtu, ipamDirectory }: PodNetworkPlan): string {
  const configuration = {
    cniVersion: '1.0.0',
    name: 'kubets',
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
          ranges: [[{ subnet: podCIDR, gateway: gatewayOf(podCIDR) }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: ipamDirectory,
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** First address of the range. */
export function gatewayOf(cidr: string): string {
  const [address = '', bits = '24'] = cidr.split('/');
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(value / size) * size + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
}
