import assert from 'node:assert/strict';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { admitPod } from './admit-pod.ts';

const rules = { allowedUnsafeSysctls: [], hasAppArmor: false };

const node: Node = {
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3', 'x.y/few': '1' } },
};
const pod = (name: string, cpu?: string, spec: Partial<Pod['spec']> = {}, hostPort?: number): Pod => ({
  metadata: { name, uid: name },
  spec: {
    containers: [
      {
        name: 'c',
        ...(cpu ? { resources: { requests: { cpu } } } : {}),
        ...(hostPort ? { ports: [{ containerPort: 80, hostPort }] } : {}),
      },
    ],
    ...spec,
  },
});

describe('admitPod', () => {
  const cases: [string, Pod, Pod[], unknown][] = [
    ['fits', pod('a', '1500m'), [pod('b', '500m')], undefined],
    [
      'no CPU',
      pod('a', '1600m'),
      [pod('b', '500m')],
      ['OutOfcpu', "Node didn't have enough resource: cpu, requested: 1600, used: 500, capacity: 2000"],
    ],
    [
      'too many',
      pod('a'),
      [pod('b'), pod('c'), pod('d')],
      ['OutOfpods', "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"],
    ],
    [
      'a resource that the node does not have',
      pod('a', undefined, { containers: [{ name: 'c', resources: { requests: { 'x.y/z': '1' } } }] }),
      [],
      undefined,
    ],
    [
      'too little of a resource that the node has',
      pod('a', undefined, { containers: [{ name: 'c', resources: { requests: { 'x.y/few': '2' } } }] }),
      [],
      ['OutOfx.y/few', "Node didn't have enough resource: x.y/few, requested: 2, used: 0, capacity: 1"],
    ],
    [
      'strict groups',
      pod('a', undefined, { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
      [],
      ['SupplementalGroupsPolicyNotSupported', 'SupplementalGroupsPolicy=Strict is not supported in this node'],
    ],
    ['merged groups', pod('a', undefined, { securityContext: { supplementalGroupsPolicy: 'Merge' } }), [], undefined],
    [
      'node selector',
      pod('a', undefined, { nodeSelector: { disk: 'hdd' } }),
      [],
      ['NodeAffinity', "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"],
    ],
    [
      'host port',
      pod('a', undefined, {}, 80),
      [pod('b', undefined, {}, 80)],
      ['NodePorts', "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
    ],
    [
      'AppArmor',
      pod('a', undefined, { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
      [],
      ['AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host'],
    ],
    [
      'other OS',
      pod('a', undefined, { os: { name: 'windows' } }),
      [],
      ['PodOSNotSupported', "Failed to admit pod as the OS field doesn't match node OS"],
    ],
  ];
  for (const [name, subject, others, expected] of cases) {
    it(name, () => {
      const refusal = admitPod(subject, node, others, rules);
      assert.deepEqual(refusal && [refusal.reason, refusal.message.replace('Pod was rejected: ', '')], expected);
    });
  }

  it('AppArmor, where the machine has it', () => {
    const confined = pod('a', undefined, { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } });
    assert.equal(admitPod(confined, node, [], { ...rules, hasAppArmor: true }), undefined);
  });

  it('strict groups, which the runtime can do', () => {
    const able = { ...node, status: { ...node.status, features: { supplementalGroupsPolicy: true } } };
    assert.equal(admitPod(pod('a', undefined, { securityContext: { supplementalGroupsPolicy: 'Strict' } }), able, [], rules), undefined);
  });
});
