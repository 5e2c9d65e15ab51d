import assert from 'node:assert/strict';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import { planAddressRepair, planServiceRepair, type Repair } from './plan-repair.ts';
import { PortSet } from './port-set.ts';
import { repairPorts } from './repair-node-ports.ts';

const service = (name: string, ...clusterIPs: string[]): Service => ({
  metadata: { namespace: 'a', name },
  spec: { type: 'ClusterIP', clusterIPs },
});
const labels = { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
const registered = (owner: string, rest: IPAddress['metadata'] = {}): IPAddress => ({
  metadata: { name: '10.0.0.7', labels, ...rest },
  spec: { parentRef: { resource: 'services', namespace: 'a', name: owner } },
});
const stranger: IPAddress = {
  metadata: { name: '10.0.0.7', labels },
  spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'g' } },
};
const text = ({ action, finding }: Repair) => [action, ...(finding ? [finding.reason, finding.message] : [])].join(' | ');

describe('repair of the addresses of Services', () => {
  const web = service('web', '10.0.0.7');
  const cases: readonly (readonly [title: string, registered: IPAddress | undefined, named: Service | undefined, expected: string])[] = [
    ['registered', registered('web'), web, 'none'],
    ['not registered', undefined, undefined, 'create | ClusterIPNotAllocated | Cluster IP [IPv4]: 10.0.0.7 is not allocated; repairing'],
    [
      'of something else',
      stranger,
      undefined,
      'recreate | ClusterIPNotAllocated | the ClusterIP [IPv4]: 10.0.0.7 for Service a/web has a wrong reference; repairing',
    ],
    [
      'of a Service that is gone',
      registered('gone'),
      undefined,
      'recreate | ClusterIPNotAllocated | the ClusterIP [IPv4]: 10.0.0.7 for Service a/web has a wrong reference; repairing',
    ],
    [
      "another Service's, too",
      registered('first'),
      service('first', '10.0.0.7'),
      'none | ClusterIPAlreadyAllocated | Cluster IP [IPv4]:10.0.0.7 was assigned to multiple services; please recreate service',
    ],
    ['of a Service with another address', registered('first'), service('first', '10.0.0.8'), 'recreate'],
    ['without labels', registered('web', { labels: {} }), web, 'recreate'],
  ];
  for (const [title, found, named, expected] of cases) {
    it(title, () => {
      const repair = planServiceRepair({ service: web, address: '10.0.0.7', registered: found, named, ranges: ['10.0.0.0/24'] });
      assert.equal(text(repair), expected);
    });
  }

  it('leaves alone what is outside of all ranges', () => {
    const repair = planServiceRepair({
      service: web,
      address: '10.0.0.7',
      registered: undefined,
      named: undefined,
      ranges: ['10.9.0.0/24'],
    });
    const message = 'Cluster IP [IPv4]: 10.0.0.7 is not within any configured Service CIDR; please recreate service';
    assert.equal(text(repair), `none | ClusterIPOutOfRange | ${message}`);
  });
});

describe('repair of addresses', () => {
  const cases: readonly (readonly [title: string, address: IPAddress, named: Service | undefined, ageMs: number, expected: string])[] = [
    ['of a Service', registered('web'), service('web', '10.0.0.7'), 1e6, 'none'],
    ["that are not the allocator's", registered('web', { labels: {} }), undefined, 1e6, 'none'],
    ['of a Service that may yet come', registered('web'), undefined, 60_000, 'none'],
    [
      'of nobody',
      registered('web'),
      undefined,
      60_001,
      'delete | IPAddressNotAllocated | IPAddress: 10.0.0.7 for Service a/web appears to have leaked: cleaning up',
    ],
    [
      'of a Service that has another',
      registered('web'),
      service('web', '10.0.0.8'),
      1,
      'delete | IPAddressWrongReference | IPAddress: 10.0.0.7 for Service a/web has a wrong reference; cleaning up',
    ],
    [
      'of something else',
      stranger,
      undefined,
      1,
      'delete | IPAddressNotAllocated | IPAddress 10.0.0.7 appears to have been modified, not referencing a Service &ParentReference{Group:example.com,Resource:gateways,Namespace:,Name:g,}: cleaning up',
    ],
  ];
  for (const [title, address, named, ageMs, expected] of cases)
    it(title, () => assert.equal(text(planAddressRepair(address, named, ageMs)), expected));
});

describe('repair of node ports', () => {
  it('tells of those that cannot be', () => {
    const exposed = (name: string, nodePort: number): Service => ({
      metadata: { namespace: 'a', name },
      spec: { type: 'NodePort', ports: [{ port: 80, nodePort }] },
    });
    const taken = new PortSet({ first: 30_000, last: 30_010 }, [30_001, 30_002]);
    const findings = repairPorts([exposed('a', 30_001), exposed('b', 30_001), exposed('c', 40_000)], taken, new Map());
    assert.deepEqual(
      findings.map((one) => [one.service.metadata.name, one.reason, one.message]),
      [
        ['b', 'PortAlreadyAllocated', 'Port 30001 was assigned to multiple services; please recreate service'],
        ['c', 'PortOutOfRange', 'Port 40000 is not within the port range 30000-30010; please recreate service'],
      ],
    );
    assert.deepEqual(taken.all(), [30_001, 30_002]);
  });
});
