import assert from 'node:assert/strict';
import type { Node, ServiceSpec } from '../../../api/types/core-v1.ts';
import { dnsEndpoints, dnsService } from './dns-endpoints.ts';

const node = (name: string, ready: boolean, kubeletVersion = 'v1.36.0+kubets-0.1.0'): Node => ({
  metadata: { name, uid: `uid-${name}` },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address: `10.200.0.${name.slice(1)}` },
      { type: 'InternalIP', address: `fd00:200::${name.slice(1)}` },
    ],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }],
    nodeInfo: {
      ...{ kubeletVersion, architecture: '', bootID: '', containerRuntimeVersion: '', kernelVersion: '', kubeProxyVersion: '' },
      ...{ machineID: '', operatingSystem: '', osImage: '', systemUUID: '' },
    },
  },
});

describe('endpoints of cluster DNS', () => {
  const seen = (nodes: Node[], spec: Partial<ServiceSpec> = {}, family: 'IPv4' | 'IPv6' = 'IPv4') => {
    const service = dnsService('10.96.0.10');
    const [group] = dnsEndpoints({ ...service, spec: { ...service.spec, ...spec } }, nodes, family).values();
    return (group?.endpoints ?? []).map(
      ({ addresses, conditions, hints }) => `${addresses.join()}${conditions?.ready ? '' : ' lost'} ${hints?.forNodes?.[0]?.name ?? '-'}`,
    );
  };
  const cases: [name: string, actual: string[], expected: string[]][] = [
    ['are all nodes', seen([node('n1', true), node('n2', true)]), ['10.200.0.1 n1', '10.200.0.2 n2']],
    ['are of the family that is asked for', seen([node('n1', true)], {}, 'IPv6'), ['fd00:200::1 n1']],
    ['are told to be lost with their node', seen([node('n1', true), node('n2', false)]), ['10.200.0.1 n1', '10.200.0.2 lost -']],
    ['are all there while no node is ready', seen([node('n1', false), node('n2', false)]), ['10.200.0.1 n1', '10.200.0.2 n2']],
    ['are none where another kubelet is', seen([node('n1', true, 'v1.36.0'), node('n2', true)]), ['10.200.0.2 n2']],
    [
      'are always there where only their own node asks them',
      seen([node('n1', true), node('n2', false)], { internalTrafficPolicy: 'Local' }),
      ['10.200.0.1 n1', '10.200.0.2 n2'],
    ],
  ];
  for (const [name, actual, expected] of cases) it(name, () => assert.deepEqual(actual, expected));
});
