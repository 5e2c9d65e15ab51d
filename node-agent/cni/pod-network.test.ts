import assert from 'node:assert/strict';
import { gatewayOf, podNetworkConflist } from './conflist.ts';
import { masqueradeRules } from './masquerade-rules.ts';

describe('pod network', () => {
  for (const [cidr, gateway] of [
    ['10.244.0.0/24', '10.244.0.1'],
    ['10.244.3.77/26', '10.244.3.65'],
    ['192.168.255.0/30', '192.168.255.1'],
  ] as const) {
    it(`gateway of ${cidr}`, () => assert.equal(gatewayOf(cidr), gateway));
  }

  it('is a bridge with addresses of the node and host ports', () => {
    const { plugins } = JSON.parse(podNetworkConflist({ bridge: 'cni0', podCIDR: '10.244.0.0/24', ipamDirectory: '/d' })) as {
      plugins: Record<string, unknown>[];
    };
    assert.deepEqual(
      plugins.map(({ type }) => type),
      ['bridge', 'portmap'],
    );
    assert.deepEqual(plugins[0]?.['ipam'], {
      type: 'host-local',
      ranges: [[{ subnet: '10.244.0.0/24', gateway: '10.244.0.1' }]],
      routes: [{ dst: '0.0.0.0/0' }],
      dataDir: '/d',
    });
  });

  it('masquerades only what leaves the cluster', () => {
    assert.match(
      masqueradeRules('10.244.0.0/24', '10.244.0.0/16'),
      /ip saddr 10\.244\.0\.0\/24 ip daddr != \{ 10\.244\.0\.0\/16, 224\.0\.0\.0\/4 \} masquerade/,
    );
  });
});
