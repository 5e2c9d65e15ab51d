import assert from 'node:assert/strict';
import type { IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import type { Endpoint } from '../tracking/endpoint.ts';
import type { ServicePortRules } from '../tracking/service-port-rules.ts';
import { renderServiceEntries } from './service-entries.ts';

const endpoint = (ip: string, port = 8080): Endpoint => ({
  ip,
  port,
  ready: true,
  serving: true,
  terminating: false,
  local: false,
  mayHairpin: ip.startsWith('10.244.0.'),
});
const plain: ServicePortRules = {
  namespace: 'default',
  service: 'web',
  portName: 'http',
  protocol: 'tcp',
  clusterIP: '10.96.0.1',
  port: 80,
  externalIPs: [],
  loadBalancerIPs: [],
  internalPolicy: 'Cluster',
  externalPolicy: 'Cluster',
  clusterEndpoints: [endpoint('10.244.0.2'), endpoint('10.244.1.2')],
  localEndpoints: [],
};
const spread = 'meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport . numgen random mod';

const nodePortSpread = 'meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport . numgen random mod';
const remembered = 'meta l4proto { tcp, udp, sctp } dnat ip to ip saddr . ip daddr . meta l4proto . th dport map @affinity';

/** Entries as text: `chain name: rule; rule`, `set name: type`, `map key value`. */
function text(ports: readonly ServicePortRules[], family: IPFamily = 'IPv4'): string[] {
  return [...renderServiceEntries(ports, family === 'IPv4' ? ['10.244.0.0/16'] : [], family)].map(([key, value]) => {
    const [kind, ...names] = key.split('\t');
    if (kind === 'element')
      return [...names, value]
        .join(' ')
        .trim()
        .replace(/-[0-9A-F]{8}-/, '-#-');
    return `${kind} ${names[0]?.replace(/-[0-9A-F]{8}-/, '-#-')}: ${value
      .replaceAll(/-[0-9A-F]{8}-/g, '-#-')
      .split('\n')
      .join('; ')}`;
  });
}

const cases: readonly [name: string, ports: ServicePortRules[], expected: string[]][] = [
  [
    'a plain port shares the chain of its number of endpoints',
    [plain],
    [
      'cluster-ips 10.96.0.1',
      'hairpin-connections 10.244.0.2 . 10.244.0.2',
      'service-endpoints 10.96.0.1 . tcp . 80 . 0 : 10.244.0.2 . 8080',
      'service-endpoints 10.96.0.1 . tcp . 80 . 1 : 10.244.1.2 . 8080',
      'service-ips 10.96.0.1 . tcp . 80 comment "default/web:http" : goto endpoints-2',
      `chain endpoints-2: ${spread} 2 map @service-endpoints`,
    ],
  ],
  [
    'without endpoints it refuses',
    [{ ...plain, portName: '', clusterEndpoints: [], internalVerdict: 'reject', externalVerdict: 'reject' }],
    ['cluster-ips 10.96.0.1', 'no-endpoint-services 10.96.0.1 . tcp . 80 comment "default/web" : goto reject-chain'],
  ],
  [
    'with endpoints only elsewhere under policy Local it drops',
    [{ ...plain, internalPolicy: 'Local', clusterEndpoints: [], internalVerdict: 'drop' }],
    ['cluster-ips 10.96.0.1', 'no-endpoint-services 10.96.0.1 . tcp . 80 comment "default/web:http" : drop'],
  ],
  [
    'node ports and external IPs come as the node',
    [{ ...plain, nodePort: 30080, externalIPs: ['192.0.2.1'], clusterEndpoints: [endpoint('10.244.1.2')] }],
    [
      'cluster-ips 10.96.0.1',
      'service-endpoints 10.96.0.1 . tcp . 80 . 0 : 10.244.1.2 . 8080',
      'service-ips 10.96.0.1 . tcp . 80 comment "default/web:http" : goto endpoints-1',
      `chain endpoints-1: ${spread} 1 map @service-endpoints`,
      'service-endpoints 192.0.2.1 . tcp . 80 . 0 : 10.244.1.2 . 8080',
      'service-ips 192.0.2.1 . tcp . 80 comment "default/web:http" : goto external-endpoints-1',
      'chain external-endpoints-1: jump mark-for-masquerade; goto endpoints-1',
      'chain nodeport-endpoints-1: jump mark-for-masquerade; meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport . numgen random mod 1 map @nodeport-endpoints',
      'nodeport-endpoints tcp . 30080 . 0 : 10.244.1.2 . 8080',
      'service-nodeports tcp . 30080 comment "default/web:http" : goto nodeport-endpoints-1',
    ],
  ],
  [
    'external policy Local with endpoints only elsewhere serves Pods and the node, and drops others',
    [{ ...plain, nodePort: 30080, externalPolicy: 'Local', clusterEndpoints: [endpoint('10.244.1.2')], externalVerdict: 'drop' }],
    [
      'cluster-ips 10.96.0.1',
      'chain service-#-default/web/tcp/http: meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.244.1.2 . 8080 }',
      'service-ips 10.96.0.1 . tcp . 80 comment "default/web:http" : goto service-#-default/web/tcp/http',
      'chain external-#-default/web/tcp/http: ip saddr { 10.244.0.0/16 } goto service-#-default/web/tcp/http; fib saddr type local jump mark-for-masquerade; fib saddr type local goto service-#-default/web/tcp/http',
      'service-nodeports tcp . 30080 comment "default/web:http" : goto external-#-default/web/tcp/http',
      'no-endpoint-nodeports tcp . 30080 comment "default/web:http" : drop',
    ],
  ],
  [
    'affinity asks for the client first, and remembers where it went',
    [{ ...plain, portName: '', protocol: 'udp', affinitySeconds: 60, externalIPs: ['192.0.2.1'], nodePort: 30080 }],
    [
      'cluster-ips 10.96.0.1',
      'hairpin-connections 10.244.0.2 . 10.244.0.2',
      'chain learn-60s: update @affinity { ct original ip saddr . ct original ip daddr . meta l4proto . ct original proto-dst timeout 60s : ip daddr . th dport }',
      ...['10.96.0.1', '192.0.2.1'].flatMap((ip) => [
        `service-endpoints ${ip} . udp . 80 . 0 : 10.244.0.2 . 8080`,
        `service-endpoints ${ip} . udp . 80 . 1 : 10.244.1.2 . 8080`,
        `service-ips ${ip} . udp . 80 comment "default/web" : goto ${ip === '192.0.2.1' ? 'external-' : ''}affine-endpoints-2`,
        `affinity-services ${ip} . udp . 80 comment "default/web" : goto learn-60s`,
        ...(ip === '192.0.2.1' ? [] : [`chain affine-endpoints-2: ${remembered}; ${spread} 2 map @service-endpoints`]),
      ]),
      'chain external-affine-endpoints-2: jump mark-for-masquerade; goto affine-endpoints-2',
      `chain nodeport-affine-endpoints-2: jump mark-for-masquerade; ${remembered}; ${nodePortSpread} 2 map @nodeport-endpoints`,
      'nodeport-endpoints udp . 30080 . 0 : 10.244.0.2 . 8080',
      'nodeport-endpoints udp . 30080 . 1 : 10.244.1.2 . 8080',
      'service-nodeports udp . 30080 comment "default/web" : goto nodeport-affine-endpoints-2',
      'affinity-nodeports udp . 30080 comment "default/web" : goto learn-60s',
    ],
  ],
  [
    'source ranges guard the balancer’s addresses',
    [
      {
        ...plain,
        loadBalancerIPs: ['192.0.2.9'],
        loadBalancerSourceRanges: ['198.51.100.0/24'],
        clusterEndpoints: [],
        internalVerdict: 'reject',
        externalVerdict: 'reject',
      },
    ],
    [
      'cluster-ips 10.96.0.1',
      'no-endpoint-services 10.96.0.1 . tcp . 80 comment "default/web:http" : goto reject-chain',
      'no-endpoint-services 192.0.2.9 . tcp . 80 comment "default/web:http" : goto reject-chain',
      'chain firewall-#-default/web/tcp/http: ip saddr 198.51.100.0/24 return; ip saddr 192.0.2.9 return; drop',
      'firewall-ips 192.0.2.9 . tcp . 80 comment "default/web:http" : goto firewall-#-default/web/tcp/http',
    ],
  ],
];

describe('entries of a Service in IPv6', () => {
  it('are of that family in each word', () => {
    const six: ServicePortRules = { ...plain, clusterIP: 'fd00:96::1', clusterEndpoints: [endpoint('fd00::2')], affinitySeconds: 60 };
    assert.deepEqual(
      text(
        [{ ...six, portName: '', loadBalancerIPs: ['2001:db8::1'], loadBalancerSourceRanges: ['fd00::/8'], externalPolicy: 'Local' }],
        'IPv6',
      ),
      [
        'cluster-ips fd00:96::1',
        'set affinity-#-default/web/tcp/__fd00..2/8080/60s: type ipv6_addr; flags dynamic,timeout; timeout 60s;',
        'chain endpoint-#-default/web/tcp/__fd00..2/8080: update @affinity-#-default/web/tcp/__fd00..2/8080/60s { ip6 saddr }; meta l4proto tcp dnat to [fd00::2]:8080',
        'chain service-#-default/web/tcp/: ip6 saddr @affinity-#-default/web/tcp/__fd00..2/8080/60s goto endpoint-#-default/web/tcp/__fd00..2/8080; numgen random mod 1 vmap { 0 : goto endpoint-#-default/web/tcp/__fd00..2/8080 }',
        'service-ips fd00:96::1 . tcp . 80 comment "default/web" : goto service-#-default/web/tcp/',
        'chain external-#-default/web/tcp/: fib saddr type local jump mark-for-masquerade; fib saddr type local goto service-#-default/web/tcp/',
        'service-ips 2001:db8::1 . tcp . 80 comment "default/web" : goto external-#-default/web/tcp/',
        'chain firewall-#-default/web/tcp/: ip6 saddr fd00::/8 return; ip6 saddr 2001:db8::1 return; drop',
        'firewall-ips 2001:db8::1 . tcp . 80 comment "default/web" : goto firewall-#-default/web/tcp/',
      ],
    );
  });
});

describe('entries of a Service', () => {
  for (const [name, ports, expected] of cases) it(name, () => assert.deepEqual(text(ports), expected));
});

describe('names of chains and sets', () => {
  const longest = 'x'.repeat(63);
  const port: ServicePortRules = {
    ...plain,
    ...{ namespace: longest, service: longest, portName: longest, protocol: 'sctp', clusterIP: 'fd00:10:96::1', affinitySeconds: 86_400 },
    ...{ externalPolicy: 'Local', nodePort: 30_000, externalIPs: ['2001:db8::1'] },
    clusterEndpoints: ['fd00:1111:2222:3333:4444:5555:6666:7777', 'fd00:1111:2222:3333:4444:5555:6666:7778'].map((ip) => endpoint(ip)),
    localEndpoints: ['fd00:1111:2222:3333:4444:5555:6666:7777', 'fd00:1111:2222:3333:4444:5555:6666:7778'].map((ip) => endpoint(ip)),
  };
  const namesOf = (ports: readonly ServicePortRules[]) =>
    [...renderServiceEntries(ports, [], 'IPv6')].flatMap(([key, value]) => {
      const [kind, name = ''] = key.split('\t');
      const used = [...value.matchAll(/(?:@|goto |jump )(\S+)/g)].map((match) => (match[1] ?? '').replace(/,$/, ''));
      return kind === 'element' ? used : [name, ...used];
    });
  it('fit into the kernel where all names of a Service have their greatest length', () => {
    const tooLong = namesOf([port]).filter((name) => Buffer.byteLength(name) > 255);
    assert.deepEqual(tooLong, []);
  });
  it('stay different where only the end differs', () => {
    const other = { ...port, portName: `${longest.slice(0, -1)}y` };
    const [own, others] = [new Set(namesOf([port])), new Set(namesOf([other]))];
    const common = [...own].filter((name) => others.has(name));
    assert.deepEqual(
      common.filter((name) => name.includes(longest)),
      [],
    );
  });
});
