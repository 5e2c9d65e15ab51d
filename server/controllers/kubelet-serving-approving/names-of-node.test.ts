import assert from 'node:assert/strict';
import { findForeignName, findReservedName, type ReservedNames } from './names-of-node.ts';

const reserved: ReservedNames = {
  clusterDomain: 'cluster.example',
  ranges: ['10.96.0.0/12', '10.244.0.0/16', 'fd00:10::/64'],
  isOfAPIServer: (name) => ['kubernetes', 'kubernetes.default', 'master', '192.0.2.2', '2001:db8::2'].includes(name),
};

describe('names that no node serves under', () => {
  const names: [name: string, isReserved: boolean][] = [
    ['worker', false],
    ['worker.example.com', false],
    ['svc.example.com', false],
    ['kubernetes', true],
    ['kubernetes.default', true],
    ['master', true],
    ['localhost', true],
    ['a.localhost', true],
    ['kubernetes.default.svc', true],
    ['kubernetes.default.svc.cluster.example', true],
    ['metrics.kube-system.svc.cluster.local', true],
    ['a.pod.cluster.example', true],
    ['cluster.example', true],
    ['Kubernetes', true],
    ['kubernetes.', true],
    ['*.example.com', true],
    ['*', true],
    ['10.0.0.7', false],
    ['10.96.0.1', true],
    ['127.1', true],
    ['a_b', true],
    ['', true],
  ];
  for (const [name, isReserved] of names)
    it(`${JSON.stringify(name)}: ${isReserved}`, () =>
      assert.equal(findReservedName({ dnsNames: ['good', name], addresses: [] }, reserved), isReserved ? name : undefined));

  const addresses: [address: string, isReserved: boolean][] = [
    ['10.0.0.7', false],
    ['2001:db8::7', false],
    ['192.0.2.2', true],
    ['::ffff:192.0.2.2', true],
    ['2001:db8:0::2', true],
    ['10.96.0.1', true],
    ['10.111.255.255', true],
    ['10.244.3.4', true],
    ['fd00:10::a', true],
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['169.254.169.254', true],
    ['0.0.0.0', true],
    ['224.0.0.1', true],
    ['255.255.255.255', true],
    ['::', true],
    ['::1', true],
    ['fe80::1', true],
    ['ff02::1', true],
    ['not-an-address', true],
  ];
  for (const [address, isReserved] of addresses)
    it(`${address}: ${isReserved}`, () =>
      assert.equal(findReservedName({ dnsNames: [], addresses: ['10.0.0.9', address] }, reserved), isReserved ? address : undefined));
});

describe('names of one node', () => {
  const node = (name: string, ...addresses: string[]) => ({
    metadata: { name },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  });
  const asks = (dnsNames: string[], addresses: string[]) => ({ dnsNames, addresses });
  const [a, b] = [node('a', '10.0.0.7', '2001:DB8::7', 'a.example'), node('b', '10.0.0.8')];
  for (const [title, request, all, expected] of [
    ['its own', asks(['a', 'a.example'], ['10.0.0.7', '2001:db8::7']), [a, b], undefined],
    ['one that it does not state', asks(['a'], ['10.0.0.9']), [a, b], '10.0.0.9'],
    ['of another', asks(['b'], []), [node('a', 'b'), b], 'b'],
    ['of another, in capitals', asks(['b'], []), [node('a', 'B'), b], 'b'],
    ['an address of another', asks([], ['10.0.0.8']), [node('a', '10.0.0.8'), b], '10.0.0.8'],
    ['its name, which another states', asks(['a'], []), [a, node('b', 'a')], undefined],
  ] as const)
    it(title, () => assert.equal(findForeignName(request, all[0] ?? a, all), expected));
});
