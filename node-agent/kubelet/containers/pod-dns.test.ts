import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import { hostsFile } from './hosts-file.ts';
import { podDNS } from './pod-dns.ts';

const cluster = {
  servers: ['10.96.0.10'],
  domain: 'cluster.local',
  hostConfig: '# a comment\nnameserver 1.1.1.1\nsearch corp.example. .\noptions timeout:1\n',
};
const own = ['n.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];
const pod = (spec: Partial<Pod['spec']>): Pod => ({ metadata: { name: 'p', namespace: 'n' }, spec: { containers: [], ...spec } });
const host = { servers: ['1.1.1.1'], searches: ['corp.example'], options: ['timeout:1'] };
const inCluster = { servers: ['10.96.0.10'], searches: [...own, 'corp.example'], options: ['ndots:5'] };

describe('podDNS', () => {
  const cases: [string, Partial<Pod['spec']>, unknown][] = [
    ['ClusterFirst', {}, inCluster],
    ['ClusterFirst on the host network', { hostNetwork: true }, host],
    ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, inCluster],
    ['Default', { dnsPolicy: 'Default' }, host],
    [
      'None',
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], searches: ['a'] } },
      { servers: ['9.9.9.9'], searches: ['a'], options: [] },
    ],
    [
      'merged',
      {
        dnsConfig: { nameservers: ['10.96.0.10', '9.9.9.9'], searches: ['a'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      },
      { servers: ['10.96.0.10', '9.9.9.9'], searches: [...own, 'corp.example', 'a'], options: ['ndots:2', 'edns0'] },
    ],
  ];
  for (const [name, spec, expected] of cases) it(name, () => assert.deepEqual(podDNS(pod(spec), cluster), expected));
  it('falls back to the node without a cluster DNS', () => assert.deepEqual(podDNS(pod({}), { ...cluster, servers: [] }), host));
});

describe('a configuration that cannot be written', () => {
  it('is left out: blanks and ends of lines divide', () => {
    const dnsConfig = {
      nameservers: ['192.0.2.1', '192.0.2.2\nsearch evil'],
      searches: ['a b', 'good.example'],
      options: [{ name: 'x', value: '1\nnameserver 6.6.6.6' }, { name: 'ndots', value: '2' }, { name: 'y z' }],
    };
    assert.deepEqual(podDNS(pod({ dnsPolicy: 'None', dnsConfig }), cluster), {
      ...{ servers: ['192.0.2.1'], searches: ['good.example'], options: ['ndots:2'] },
    });
  });
});

describe('hostsFile', () => {
  const hostAliases = [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }];
  it('names the Pod by its subdomain too', () => {
    const text = hostsFile(pod({ hostname: 'h', subdomain: 'sub', hostAliases }), ['10.0.0.1'], '', 'cluster.local');
    assert.match(text, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
    assert.match(text, /\n10\.0\.0\.1\th\.sub\.n\.svc\.cluster\.local\th\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);
  });
  it("is the node's on its network", () => {
    const text = hostsFile(pod({ hostNetwork: true, hostAliases }), ['10.0.0.1'], '127.0.0.1 localhost\n', 'cluster.local');
    assert.equal(
      text,
      '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n',
    );
  });
});
