import assert from 'node:assert/strict';
import type { Node } from '../../../api/types/core-v1.ts';
import { peersOf, planRoutes } from './pod-routes.ts';

function node(name: string, addresses: string[], ...podCIDRs: string[]): Node {
  return { metadata: { name }, spec: { podCIDRs }, status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } };
}

describe('routes to the Pods of other nodes', () => {
  it('are for nodes with an address and a range, but the own', () => {
    const all = [
      node('me', ['10.0.0.1'], '10.244.0.0/24'),
      node('b', ['10.0.0.2'], '10.244.1.0/24', 'fd00:244:0:1::/64'),
      node('new', ['10.0.0.3']),
      node('silent', [], '10.244.2.0/24'),
    ];
    const tunnel = { outside: '10.0.0.2', hardwareAddress: '0a:6b:0a:f4:01:00' };
    assert.deepEqual(peersOf(all, 'me'), [
      { name: 'b', address: '10.0.0.2', podCIDR: '10.244.1.0/24', tunnel },
      { name: 'b', podCIDR: 'fd00:244:0:1::/64', tunnel },
    ]);
    assert.deepEqual(peersOf(all, undefined).length, 3);
  });

  const peers = peersOf(
    [
      node('b', ['10.0.0.2', 'fd00::2'], '10.244.1.0/24', 'fd00:244:0:1::/64'),
      node('c', ['fd00::3', '10.0.0.3'], 'fd00:244:0:2::/64', '10.244.2.0/24'),
    ],
    undefined,
  );

  it('change only where they differ', () => {
    const present = [
      { podCIDR: '10.244.1.0/24', via: '10.0.0.2' },
      { podCIDR: '10.244.2.0/24', via: '10.0.0.9' },
      { podCIDR: '10.244.3.0/24', via: '10.0.0.4' },
      { podCIDR: 'fd00:244:0:1::/64', via: 'fd00::2' },
    ];
    assert.deepEqual(planRoutes(present, peers, 'host-gw'), {
      ip: [
        'route del 10.244.3.0/24 via 10.0.0.4 proto 107',
        'route replace fd00:244:0:2::/64 via fd00::3 proto 107',
        'route replace 10.244.2.0/24 via 10.0.0.3 proto 107',
      ],
      bridge: [],
    });
  });

  it('lead through tunnels whose ends are known by the range', () => {
    const present = [{ podCIDR: '10.244.1.0/24', via: '10.244.1.0' }];
    assert.deepEqual(planRoutes(present, peers, 'vxlan'), {
      ip: [
        'neigh replace 10.244.1.0 lladdr 0a:6b:0a:f4:01:00 dev kubets.vxlan nud permanent',
        'neigh replace fd00:244:0:1:: lladdr 0a:6b:0a:f4:01:00 dev kubets.vxlan nud permanent',
        'neigh replace fd00:244:0:2:: lladdr 0a:6b:0a:f4:02:00 dev kubets.vxlan nud permanent',
        'neigh replace 10.244.2.0 lladdr 0a:6b:0a:f4:02:00 dev kubets.vxlan nud permanent',
        'route replace fd00:244:0:1::/64 via fd00:244:0:1:: dev kubets.vxlan onlink proto 107',
        'route replace fd00:244:0:2::/64 via fd00:244:0:2:: dev kubets.vxlan onlink proto 107',
        'route replace 10.244.2.0/24 via 10.244.2.0 dev kubets.vxlan onlink proto 107',
      ],
      bridge: [
        'fdb replace 0a:6b:0a:f4:01:00 dev kubets.vxlan dst 10.0.0.2 self permanent',
        'fdb replace 0a:6b:0a:f4:02:00 dev kubets.vxlan dst 10.0.0.3 self permanent',
      ],
    });
  });

  it('lead to nodes of IPv6 alone, too', () => {
    const [peer] = peersOf([node('d', ['fd00::4'], 'fd00:244:0:4::/64')], undefined);
    assert.deepEqual(peer?.tunnel, { outside: 'fd00::4', hardwareAddress: '0a:6b:00:00:00:04' });
    assert.equal(peer.address, 'fd00::4');
  });
});
