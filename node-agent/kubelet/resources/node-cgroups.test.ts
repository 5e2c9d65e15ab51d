import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Pod, PodSpec } from '../../../api/types/core-v1.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupLimits } from '../../linux/cgroups/cgroup-values.ts';
import { createNodeCgroups, type CountedPods, planClassShares } from './node-cgroups.ts';

function podOf(cpu: string | undefined, more: Partial<PodSpec> = {}, isGuaranteed = false): Pod {
  const requests = cpu === undefined ? {} : { cpu, memory: '1Mi' };
  return {
    metadata: { name: 'p', uid: 'own' },
    spec: { containers: [{ name: 'c', resources: { requests, ...(isGuaranteed ? { limits: requests } : {}) } }], ...more },
  };
}

describe('shares of the classes of Pods', () => {
  const cases: [name: string, pods: Pod[], burstable: number][] = [
    ['none', [], 2],
    ['what requests nothing', [podOf(undefined), podOf(undefined)], 2],
    ['one', [podOf('1500m')], 1536],
    ['several', [podOf('500m'), podOf('250m'), podOf(undefined)], 768],
    ['Guaranteed ones have their own', [podOf('500m'), podOf('3', {}, true)], 512],
    ['memory alone', [{ metadata: {}, spec: { containers: [{ name: 'c', resources: { requests: { memory: '1Mi' } } }] } }], 2],
    ['with their overhead', [podOf('500m', { overhead: { cpu: '250m' } })], 768],
    ['requests of the Pod as a whole', [podOf('500m', { resources: { requests: { cpu: '2' } } })], 2048],
    [
      'what the status says of an earlier size',
      [
        {
          ...podOf('1'),
          status: {
            containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 0, resources: { requests: { cpu: '3' } } }],
          },
        },
      ],
      1024,
    ],
    ['more than cgroups take', Array.from({ length: 300 }, () => podOf('1')), 262_144],
  ];
  for (const [name, pods, burstable] of cases)
    it(name, () => assert.deepEqual(planClassShares(pods), { Burstable: burstable, BestEffort: 2 }));
});

describe('cgroups of the node', () => {
  function start(counted: () => CountedPods, present: Map<string, CgroupLimits> = new Map()) {
    const clock = createManualClock();
    const said: string[] = [];
    let refusal: string | undefined;
    const writes: string[] = [];
    const note = (name: string, limits: CgroupLimits) => {
      if (refusal !== undefined && limits.memoryBytes !== undefined) throw new Error(refusal);
      writes.push(`${name} ${limits.cpuShares ?? ''}`);
      present.set(name, { ...present.get(name), ...limits });
    };
    const nodeCgroups = createNodeCgroups({
      cgroups: {
        ensure: async (name, limits) => note(name, limits),
        children: async (name) => [...present.keys()].filter((one) => one.startsWith(`${name}/`)).map((one) => one.slice(name.length + 1)),
        exists: async (name) => present.has(name),
        widen: async (name, { cpuShares = 0 }) => {
          if (cpuShares > (present.get(name)?.cpuShares ?? 0)) note(name, { cpuShares });
        },
        limits: async (name) =>
          present.has(name)
            ? { cpuShares: present.get(name)?.cpuShares, cpuWeight: undefined, cpuQuota: 0, cpuPeriod: 0, memoryBytes: 0 }
            : undefined,
      },
      names: cgroupNames('cgroupfs', '/kubepods'),
      clock,
      logger: silentLogger,
      podsLimits: { cpuShares: 2048, memoryBytes: 100, pids: 10 },
      reserved: [{ name: '/system', limits: { cpuShares: 512 }, title: { failed: 'System Reserved', updated: 'system reserved' } }],
      counted,
      event: (type, reason, message) => void said.push(`${type} ${reason} ${message}`),
    });
    return { clock, nodeCgroups, present, said, writes, refuse: (problem: string | undefined) => (refusal = problem) };
  }
  const one = { pods: [podOf('1')], isComplete: true };

  it('weighs the classes as Pods come, resize and go, and writes only what is new', async () => {
    let counted: CountedPods = one;
    const { nodeCgroups, present, writes } = start(() => counted, new Map([['/system', {}]]));
    await nodeCgroups.start();
    writes.length = 0;
    await nodeCgroups.weigh();
    await Promise.all([nodeCgroups.weigh(), nodeCgroups.weigh()]);
    assert.deepEqual(writes, ['/kubepods/burstable 1024', '/kubepods/besteffort 2']);
    counted = { pods: [], isComplete: true };
    await nodeCgroups.weigh();
    assert.equal(present.get('/kubepods/burstable')?.cpuShares, 2);
  });

  it('looks once for many that come at the same time', async () => {
    let looks = 0;
    const { nodeCgroups } = start(
      () => {
        looks++;
        return one;
      },
      new Map([['/system', {}]]),
    );
    await nodeCgroups.start();
    const first = nodeCgroups.weigh();
    await Promise.resolve(); // it has begun, and may have seen too little
    await Promise.all([first, ...Array.from({ length: 50 }, () => nodeCgroups.weigh())]);
    assert.equal(looks, 2);
  });

  it('counts Pods that another node has in the same cgroup', async () => {
    const { nodeCgroups, present } = start(
      () => one,
      new Map([
        ['/system', {}],
        ['/kubepods/burstable/podforeign', { cpuShares: 300 }],
        ['/kubepods/burstable/podown', { cpuShares: 1024 }], // its own
      ]),
    );
    await nodeCgroups.start();
    await nodeCgroups.weigh();
    assert.equal(present.get('/kubepods/burstable')?.cpuShares, 1324);
  });

  it('takes nothing from what runs while the agent is starting again', async () => {
    let counted: CountedPods = { pods: [], isComplete: false };
    const { nodeCgroups, present } = start(
      () => counted,
      new Map([
        ['/system', {}],
        ['/kubepods', {}],
        ['/kubepods/burstable', { cpuShares: 900 }],
      ]),
    );
    const shares = () => present.get('/kubepods/burstable')?.cpuShares;
    await nodeCgroups.start();
    await nodeCgroups.weigh();
    assert.equal(shares(), 900);
    counted = { pods: [podOf('500m')], isComplete: false };
    await nodeCgroups.weigh();
    assert.equal(shares(), 900);
    counted = { pods: [podOf('500m')], isComplete: true };
    await nodeCgroups.weigh();
    assert.equal(shares(), 512);
  });

  it('puts right what others have changed, once a minute', async () => {
    const { nodeCgroups, present, clock } = start(() => one, new Map([['/system', {}]]));
    await nodeCgroups.start();
    const abort = new AbortController();
    const running = nodeCgroups.run(abort.signal);
    await nodeCgroups.weigh();
    present.set('/kubepods/burstable', { cpuShares: 7 });
    await clock.advance(60_000);
    assert.equal(present.get('/kubepods/burstable')?.cpuShares, 1024);
    abort.abort();
    await running;
  });

  it('limits all Pods together as soon as the kernel lets it, and tells of it', async () => {
    const { nodeCgroups, present, clock, said, refuse } = start(() => one, new Map([['/system', {}]]));
    await nodeCgroups.start();
    refuse('EBUSY');
    said.length = 0;
    const abort = new AbortController();
    const running = nodeCgroups.run(abort.signal);
    await clock.advance(0);
    assert.deepEqual(said.splice(0), [
      'Warning FailedNodeAllocatableEnforcement Failed to update Node Allocatable Limits "/kubepods": EBUSY',
    ]);
    refuse(undefined);
    await clock.advance(60_000);
    assert.deepEqual(said, ['Normal NodeAllocatableEnforced Updated Node Allocatable limit across pods']);
    assert.equal(present.get('/kubepods')?.memoryBytes, 100);
    abort.abort();
    await running;
  });

  it('does not start where a reservation cannot be enforced', async () => {
    const { nodeCgroups, said } = start(() => one);
    const message = 'Failed to enforce System Reserved Cgroup Limits on "/system": "/system" cgroup does not exist';
    await assert.rejects(nodeCgroups.start(), { message });
    assert.deepEqual(said, [`Warning FailedNodeAllocatableEnforcement ${message}`]);
  });
});
