import assert from 'node:assert/strict';
import { gatewayOf, podNetworkConflist } from './conflist.ts';
import { planHostPortCleanup } from './host-port-rules.ts';
import { masqueradeRules } from './masquerade-rules.ts';

const listed = `-P PREROUTING ACCEPT
-N CNI-HOSTPORT-DNAT
-N CNI-HOSTPORT-MASQ
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A PREROUTING -j OTHER
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
`;

describe('host port chains', () => {
  it('go when nothing is in them', () => {
    assert.equal(
      planHostPortCleanup(listed),
      `*nat
-D PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-D POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-F CNI-HOSTPORT-DNAT
-F CNI-HOSTPORT-MASQ
-X CNI-HOSTPORT-DNAT
-X CNI-HOSTPORT-MASQ
COMMIT
`,
    );
  });
  it('stay while a Pod has a host port, and where there are none', () => {
    assert.equal(planHostPortCleanup(`${listed}-N CNI-DN-1234\n-A CNI-HOSTPORT-DNAT -p tcp --dport 80 -j CNI-DN-1234\n`), undefined);
    assert.equal(planHostPortCleanup('-P PREROUTING ACCEPT\n'), undefined);
  });
});

describe('pod network', () => {
  for (const [cidr, gateway] of [
    ['10.244.0.0/24', '10.244.0.1'],
    ['10.244.3.77/26', '10.244.3.65'],
    ['192.168.255.0/30', '192.168.255.1'],
    ['fd00:10:244:7::/64', 'fd00:10:244:7::1'],
  ] as const) {
    it(`gateway of ${cidr}`, () => assert.equal(gatewayOf(cidr), gateway));
  }

  it('is a bridge with addresses of the node and host ports', () => {
    const { plugins } = JSON.parse(
      podNetworkConflist({
        bridge: 'cni0',
        podCIDRs: ['10.244.0.0/24', 'fd00:244::/64'],
        mtu: 1450,
        ipamDirectory: '/d',
        limitsBandwidth: true,
      }),
    ) as {
      plugins: Record<string, unknown>[];
    };
    assert.deepEqual(
      plugins.map(({ type }) => type),
      ['bridge', 'portmap', 'bandwidth'],
    );
    assert.equal(plugins[0]?.['mtu'], 1450);
    assert.deepEqual(plugins[0]?.['ipam'], {
      type: 'host-local',
      ranges: [[{ subnet: '10.244.0.0/24', gateway: '10.244.0.1' }], [{ subnet: 'fd00:244::/64', gateway: 'fd00:244::1' }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      dataDir: '/d',
    });
  });

  it('masquerades only what leaves the cluster', () => {
    const rules = masqueradeRules('cni0', ['10.244.0.0/24', 'fd00:244::/64'], ['10.244.0.0/16', 'fd00:244::/56', '192.0.2.0/24']);
    assert.match(rules, /elements = \{ 10\.244\.0\.0\/16, 192\.0\.2\.0\/24, 224\.0\.0\.0\/4 \}/);
    assert.match(rules, /ip saddr \{ 10\.244\.0\.0\/24 \} ip daddr != @kept masquerade/);
    assert.match(rules, /elements = \{ fd00:244::\/56, ff00::\/8 \}/);
    assert.match(rules, /ip6 saddr \{ fd00:244::\/64 \} ip6 daddr != @kept masquerade/);
    assert.doesNotMatch(masqueradeRules('cni0', ['10.244.0.0/24'], ['10.244.0.0/16']), /ip6 saddr/);
  });
});
