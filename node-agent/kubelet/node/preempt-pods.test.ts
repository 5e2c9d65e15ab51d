import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { EndOrder } from '../pods/pod-worker.ts';
import type { PodStateName } from '../pods/pod-state.ts';
import { createTallies } from '../stats/tallies.ts';
import { admitOrMakeRoom } from './admit-or-make-room.ts';
import { planPreemption, type Shortage } from './preempt-pods.ts';

type Amounts = Readonly<Record<string, string>>;

function podOf(name: string, requests: Amounts = {}, { limits = {}, priority }: { limits?: Amounts; priority?: number } = {}): Pod {
  return {
    metadata: { name, uid: name },
    spec: {
      containers: [{ name: 'c', resources: { requests: { ...requests }, limits: { ...limits } } }],
      ...(priority === undefined ? {} : { priority }),
    },
  };
}

const guaranteed = (name: string, amounts: Amounts) => podOf(name, amounts, { limits: amounts });
const critical = podOf('critical', { cpu: '1', memory: '1Gi' }, { priority: 2_000_001_000 });
const mebi = 1024 * 1024;

describe('room for a critical Pod', () => {
  const cases: [string, readonly Pod[], readonly Shortage[], unknown][] = [
    ['nothing is short', [podOf('a')], [], []],
    ['a place', [podOf('a'), podOf('b', { cpu: '1' })], [{ resource: 'pods', amount: 1 }], ['a']],
    [
      'those that are warranted least first, as few as can be',
      [podOf('small', { cpu: '100m' }), podOf('large', { cpu: '600m' }), guaranteed('firm', { cpu: '600m', memory: '1Mi' })],
      [{ resource: 'cpu', amount: 500 }],
      ['large'],
    ],
    [
      'of two that will do the one that requests less',
      [podOf('much', { cpu: '900m', memory: '2Mi' }), podOf('less', { cpu: '800m', memory: '1Mi' })],
      [{ resource: 'cpu', amount: 500 }],
      ['less'],
    ],
    [
      'of a better class only what the others cannot give',
      [
        podOf('soft', { cpu: '200m' }),
        guaranteed('firm', { cpu: '400m', memory: '1Mi' }),
        guaranteed('firmer', { cpu: '900m', memory: '1Mi' }),
      ],
      [{ resource: 'cpu', amount: 500 }],
      ['soft', 'firm'],
    ],
    [
      'no critical ones, but of lower priority',
      [podOf('equal', { cpu: '1' }, { priority: 2_000_001_000 }), podOf('lower', { cpu: '1' }, { priority: 2_000_000_000 })],
      [{ resource: 'cpu', amount: 500 }],
      ['lower'],
    ],
    [
      'there is not enough',
      [podOf('a', { cpu: '100m' })],
      [
        { resource: 'cpu', amount: 500 },
        { resource: 'memory', amount: mebi },
      ],
      'no set of running pods found to reclaim resources: [(res: cpu, q: 400), (res: memory, q: 1048576), ]',
    ],
  ];
  for (const [title, others, shortages, expected] of cases) {
    it(title, () => {
      const plan = planPreemption(critical, others, shortages);
      assert.deepEqual('problem' in plan ? plan.problem : plan.victims.map(({ metadata }) => metadata.name), expected);
    });
  }

  const admit = async (pod: Pod, others: readonly Pod[]) => {
    const ended: EndOrder[] = [];
    const clock = createManualClock();
    const states = new Map<string, PodStateName>();
    const node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10' } } };
    const admitting = admitOrMakeRoom(pod, {
      ...{
        clock,
        tallies: createTallies(),
        node: () => node,
        refresh: async () => node,
        others: () => others,
        rules: { allowedUnsafeSysctls: [], hasAppArmor: false },
      },
      findWorker: (uid) => ({
        end: (order) => {
          ended.push(order);
          clock.setTimer(1000, () => states.set(uid, 'terminated'));
        },
        state: () => states.get(uid) ?? 'running',
      }),
    });
    let isAdmitted = false;
    void admitting.then(() => (isAdmitted = true));
    await clock.advance(500);
    const wasEarly = isAdmitted;
    await clock.advance(1000);
    return { ended, refusal: await admitting, wasEarly };
  };

  it('is made before it is admitted, with the words of Kubernetes', async () => {
    const { ended, refusal, wasEarly } = await admit(critical, [podOf('a', { cpu: '1500m' })]);
    assert.deepEqual([refusal, wasEarly], [undefined, false]);
    assert.deepEqual(ended, [
      {
        reason: 'Preempting',
        message: 'Preempted in order to admit critical pod',
        disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
        graceSeconds: 30,
      },
    ]);
  });

  it('is not made for others, nor where something else is in the way', async () => {
    const plain = await admit(podOf('plain', { cpu: '1' }), [podOf('a', { cpu: '1500m' })]);
    assert.equal(plain.refusal?.reason, 'OutOfcpu');
    const elsewhere: Pod = {
      ...critical,
      spec: { containers: critical.spec?.containers ?? [], priority: 2_000_001_000, nodeSelector: { disk: 'ssd' } },
    };
    const other = await admit(elsewhere, [podOf('a', { cpu: '1500m' })]);
    assert.equal(other.refusal?.reason, 'NodeAffinity');
    const large = await admit(podOf('large', { cpu: '3' }, { priority: 2_000_001_000 }), [podOf('a', { cpu: '500m' })]);
    assert.deepEqual(large.refusal, {
      reason: 'UnexpectedAdmissionError',
      message:
        'Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]',
    });
    assert.deepEqual([...plain.ended, ...other.ended, ...large.ended], []);
  });
});
