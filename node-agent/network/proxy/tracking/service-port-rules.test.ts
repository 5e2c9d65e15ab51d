import assert from 'node:assert/strict';
import type { Service, ServiceSpec } from '../../../../api/types/core-v1.ts';
import type { Endpoint as SliceEndpoint, EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import { planServicePorts, type ServicePortRules } from './service-port-rules.ts';
import { planStaleConnections } from './stale-connections.ts';

const node = { nodeName: 'here', zone: 'a' };

function service(spec: ServiceSpec, labels: Record<string, string> = {}, status: Service['status'] = {}): Service {
  const ports = [{ name: 'http', port: 80, targetPort: 'web' }];
  return {
    metadata: { namespace: 'ns', name: 'web', labels },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', ports, ...spec },
    status,
  };
}

function slice(endpoints: SliceEndpoint[], changes: Partial<EndpointSlice> = {}): EndpointSlice {
  return {
    metadata: { name: 'web-1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints,
    ...changes,
  };
}

const endpoint = (address: string, conditions: SliceEndpoint['conditions'] = { ready: true }, more: Partial<SliceEndpoint> = {}) => ({
  addresses: [address],
  conditions,
  nodeName: address.startsWith('10.244.0.') ? 'here' : 'there',
  ...more,
});
const dying = { ready: false, serving: true, terminating: true };

/** cluster endpoints | local endpoints | verdicts of internal and external traffic. */
function summary(rules: readonly ServicePortRules[]): string[] {
  const texts = (endpoints: ServicePortRules['clusterEndpoints']) => endpoints.map(({ ip, port }) => `${ip}:${port}`).join(' ');
  return rules.map(
    ({ protocol, port, portName, clusterEndpoints, localEndpoints, internalVerdict, externalVerdict }) =>
      `${protocol}/${port}/${portName}: ${texts(clusterEndpoints)} | ${texts(localEndpoints)} | ${internalVerdict ?? ''} ${externalVerdict ?? ''}`,
  );
}

const cases: readonly [name: string, service: Service, slices: EndpointSlice[], expected: string[]][] = [
  [
    'ready endpoints in order, once',
    service({}),
    [slice([endpoint('10.244.1.2'), endpoint('10.244.0.2')]), slice([endpoint('10.244.1.2', { ready: false })])],
    ['tcp/80/http: 10.244.0.2:8080 10.244.1.2:8080 |  |  '],
  ],
  [
    'the port number is the slice’s',
    service({}),
    [
      slice([endpoint('10.244.0.2')]),
      slice([endpoint('10.244.0.3')], {
        ports: [
          { name: 'http', port: 9090 },
          { name: 'other', port: 1 },
        ],
      }),
    ],
    ['tcp/80/http: 10.244.0.2:8080 10.244.0.3:9090 |  |  '],
  ],
  [
    'protocols are told apart',
    service({ ports: [{ name: 'http', port: 80, protocol: 'UDP' }] }),
    [slice([endpoint('10.244.0.2')])],
    ['udp/80/http:  |  | reject reject'],
  ],
  [
    'ports without a number and other address types are passed over',
    service({}),
    [slice([endpoint('10.244.0.2')], { ports: [{ name: 'http' }] }), slice([endpoint('fd00::1')], { addressType: 'IPv6' })],
    ['tcp/80/http:  |  | reject reject'],
  ],
  [
    'unready ones get nothing',
    service({}),
    [slice([endpoint('10.244.0.2', { ready: false, serving: false })])],
    ['tcp/80/http:  |  | reject reject'],
  ],
  ['unknown readiness is readiness', service({}), [slice([endpoint('10.244.0.2', {})])], ['tcp/80/http: 10.244.0.2:8080 |  |  ']],
  [
    'terminating ones get nothing while there is a ready one',
    service({}),
    [slice([endpoint('10.244.0.2', dying), endpoint('10.244.0.3')])],
    ['tcp/80/http: 10.244.0.3:8080 |  |  '],
  ],
  [
    'terminating ones that serve are the last resort',
    service({}),
    [slice([endpoint('10.244.0.2', dying), endpoint('10.244.0.3', { ready: false, serving: false, terminating: true })])],
    ['tcp/80/http: 10.244.0.2:8080 |  |  '],
  ],
  [
    'internal policy Local',
    service({ internalTrafficPolicy: 'Local' }),
    [slice([endpoint('10.244.0.2'), endpoint('10.244.1.2')])],
    ['tcp/80/http:  | 10.244.0.2:8080 |  reject'],
  ],
  [
    'internal policy Local without a local endpoint drops',
    service({ internalTrafficPolicy: 'Local' }),
    [slice([endpoint('10.244.1.2')])],
    ['tcp/80/http:  |  | drop reject'],
  ],
  [
    'internal policy Local without any endpoint rejects',
    service({ internalTrafficPolicy: 'Local' }),
    [],
    ['tcp/80/http:  |  | reject reject'],
  ],
  [
    'external policy Local',
    service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
    [slice([endpoint('10.244.1.2'), endpoint('10.244.0.2')])],
    ['tcp/80/http: 10.244.0.2:8080 10.244.1.2:8080 | 10.244.0.2:8080 |  '],
  ],
  [
    'external policy Local without a local endpoint',
    service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
    [slice([endpoint('10.244.1.2')])],
    ['tcp/80/http: 10.244.1.2:8080 |  |  drop'],
  ],
  [
    'zone hints',
    service({}),
    [
      slice([
        endpoint('10.244.0.2', {}, { hints: { forZones: [{ name: 'a' }] } }),
        endpoint('10.244.1.2', {}, { hints: { forZones: [{ name: 'b' }] } }),
      ]),
    ],
    ['tcp/80/http: 10.244.0.2:8080 |  |  '],
  ],
  [
    'zone hints count only if all have them',
    service({}),
    [slice([endpoint('10.244.0.2', {}, { hints: { forZones: [{ name: 'a' }] } }), endpoint('10.244.1.2')])],
    ['tcp/80/http: 10.244.0.2:8080 10.244.1.2:8080 |  |  '],
  ],
  [
    'node hints go before zone hints',
    service({}),
    [
      slice([
        endpoint('10.244.0.2', {}, { hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'there' }] } }),
        endpoint('10.244.1.2', {}, { hints: { forZones: [{ name: 'b' }], forNodes: [{ name: 'here' }] } }),
      ]),
    ],
    ['tcp/80/http: 10.244.1.2:8080 |  |  '],
  ],
  ['headless', service({ clusterIP: 'None' }), [slice([endpoint('10.244.0.2')])], []],
  ['ExternalName', service({ type: 'ExternalName', clusterIP: '' }), [], []],
  ['headless by its label', service({}, { 'service.kubernetes.io/headless': '' }), [slice([endpoint('10.244.0.2')])], []],
  ['somebody else’s', service({}, { 'service.kubernetes.io/service-proxy-name': 'x' }), [slice([endpoint('10.244.0.2')])], []],
  [
    'the IPv4 address of two',
    service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1', '10.96.0.9'] }),
    [],
    ['tcp/80/http:  |  | reject reject'],
  ],
  ['IPv6 only', service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] }), [], []],
];

describe('rules of Service ports', () => {
  for (const [name, object, slices, expected] of cases) {
    it(name, () => assert.deepEqual(summary(planServicePorts(object, slices, node, 'IPv4')), expected));
  }

  it('take addresses, ports, ranges and affinity from the Service', () => {
    const [rules] = planServicePorts(
      service(
        {
          type: 'LoadBalancer',
          ports: [{ port: 80, nodePort: 30080 }],
          externalIPs: ['192.0.2.1', 'fd00::2'],
          sessionAffinity: 'ClientIP',
          loadBalancerSourceRanges: ['198.51.100.0/24', ' 203.0.113.0/24', 'fd00::/64'],
        },
        {},
        { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { ip: '192.0.2.8', ipMode: 'Proxy' }, { hostname: 'lb' }] } },
      ),
      [],
      node,
      'IPv4',
    );
    assert.deepEqual(rules, {
      namespace: 'ns',
      service: 'web',
      portName: '',
      protocol: 'tcp',
      clusterIP: '10.96.0.1',
      port: 80,
      nodePort: 30080,
      externalIPs: ['192.0.2.1'],
      loadBalancerIPs: ['192.0.2.9'],
      loadBalancerSourceRanges: ['198.51.100.0/24', '203.0.113.0/24'],
      affinitySeconds: 10800,
      internalPolicy: 'Cluster',
      externalPolicy: 'Cluster',
      clusterEndpoints: [],
      localEndpoints: [],
      internalVerdict: 'reject',
      externalVerdict: 'reject',
    });
  });
});

describe('stale connections', () => {
  const udp = (endpoints: SliceEndpoint[]) =>
    planServicePorts(
      service({ type: 'NodePort', ports: [{ name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053 }] }),
      [slice(endpoints, { ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] })],
      node,
      'IPv4',
    );
  const [one, two] = [endpoint('10.244.0.2'), endpoint('10.244.0.3')];

  it('are those to endpoints that are gone', () => {
    assert.deepEqual(planStaleConnections(udp([one, two]), udp([two])), [
      { family: 'IPv4', protocol: 'udp', originalDestination: '10.96.0.1', originalPort: 53, translatedDestination: '10.244.0.2' },
      { family: 'IPv4', protocol: 'udp', originalPort: 30053, translatedDestination: '10.244.0.2' },
    ]);
    assert.equal(planStaleConnections(udp([one, two]), []).length, 4);
  });

  it('are those from before there was an endpoint', () => {
    assert.deepEqual(planStaleConnections(udp([]), udp([one])), [
      { family: 'IPv4', protocol: 'udp', originalDestination: '10.96.0.1', originalPort: 53 },
      { family: 'IPv4', protocol: 'udp', originalPort: 30053 },
    ]);
  });

  it('are none where nothing went, and none of TCP', () => {
    assert.deepEqual(planStaleConnections(udp([one]), udp([one, two])), []);
    assert.deepEqual(planStaleConnections([], udp([one])), []);
    assert.deepEqual(planStaleConnections(planServicePorts(service({}), [slice([one])], node, 'IPv4'), []), []);
  });
});
