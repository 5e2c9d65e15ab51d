import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { type CgroupDriverFacts, planCgroupDriver, prepareCgroups, rememberedDriver } from './cgroup-driver.ts';
import { createCgroups } from './cgroups.ts';
import { limitProperties, sliceProperties } from './systemd-slices.ts';

const plain: CgroupDriverFacts = {
  ...{ asked: undefined, ofRuntime: undefined, inUse: [], last: undefined },
  ...{ cgroupVersion: 2, isBootedBySystemd: true, hasSystemBus: true },
};

describe('the cgroup driver', () => {
  const cases: [name: string, facts: Partial<CgroupDriverFacts>, expected: string | RegExp][] = [
    ['is systemd by itself where that manages the cgroups', {}, 'systemd'],
    ['is cgroupfs by itself without systemd', { isBootedBySystemd: false }, 'cgroupfs'],
    ['is cgroupfs by itself where systemd cannot be asked', { hasSystemBus: false }, 'cgroupfs'],
    ['is cgroupfs by itself on version 1', { cgroupVersion: 1 }, 'cgroupfs'],
    ['stays the last one after an upgrade', { last: 'cgroupfs' }, 'cgroupfs'],
    ['is the one asked for', { asked: 'systemd', last: 'cgroupfs' }, 'systemd'],
    ['is the one of the runtime, whatever is asked for', { asked: 'cgroupfs', ofRuntime: 'systemd' }, 'systemd'],
    ['is the one that Pods run with', { inUse: ['systemd'], last: 'cgroupfs' }, 'systemd'],
    ['is the last one', { last: 'systemd' }, 'systemd'],
    ['may stay the same', { asked: 'systemd', inUse: ['systemd'] }, 'systemd'],
    [
      'does not change below Pods',
      { asked: 'systemd', inUse: ['cgroupfs'] },
      /Pods of this node run in cgroups of the driver cgroupfs, and the node is to use systemd: drain .* or start the node with --cgroup-driver=cgroupfs/,
    ],
    ['does not change below Pods for a runtime', { ofRuntime: 'cgroupfs', inUse: ['systemd'] }, /clear it away \('kubets reset'\) first$/],
    ['cannot be two', { inUse: ['cgroupfs', 'systemd'] }, /run in cgroups of the driver systemd, and the node is to use cgroupfs/],
    ['is not systemd without systemd', { asked: 'systemd', isBootedBySystemd: false }, /needs systemd as the first process of the machine/],
    ['is not systemd on version 1', { ofRuntime: 'systemd', cgroupVersion: 1 }, /needs cgroups of version 2/],
  ];
  for (const [name, facts, expected] of cases) {
    it(name, () => {
      const plan = planCgroupDriver({ ...plain, ...facts });
      if (typeof expected === 'string') assert.deepEqual(plan, { driver: expected });
      else assert.match('problem' in plan ? plan.problem : '', expected);
    });
  }

  it('is remembered, and adopted with the Pods that run', async function () {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-driver-'));
    const root = `/kubets-driver-test-${process.pid}`;
    const cgroups = await createCgroups();
    const pod = `/kubets_driver_test_${process.pid}.slice/kubets_driver_test_${process.pid}-podu1.slice`;
    const dependencies = {
      ...{ clock: systemClock, logger: silentLogger, directory, podsDirectory: `${directory}/pods` },
      runtime: { cgroupDriver: () => Promise.reject(new Error('not asked')) },
    };
    const prepare = () => prepareCgroups({ cgroupRoot: root }, dependencies, new AbortController().signal);
    try {
      assert.equal(await rememberedDriver(directory), undefined);
      assert.equal((await prepare()).names.driver, 'cgroupfs');
      assert.equal(await rememberedDriver(directory), 'cgroupfs');
      mkdirSync(`${directory}/pods/u1`, { recursive: true });
      try {
        await cgroups.ensure(pod, {});
      } catch {
        this.skip(); // cgroups are not ours to make here
      }
      const outcome = await prepare().then(
        ({ names }) => names.driver,
        (error: Error) => error.message,
      );
      assert.match(outcome, /^systemd$|^the cgroup driver systemd needs/);
    } finally {
      await cgroups.remove(pod.slice(0, pod.lastIndexOf('/')));
      rmSync(directory, { recursive: true });
    }
  });
});

describe('slices', () => {
  it('have limits as properties', () => {
    assert.deepEqual(limitProperties({ cpuShares: 1536, cpuQuota: 50_000, memoryBytes: 64, pids: 100, hugePages: { '2MB': 1 } }), [
      ['CPUWeight', 't', '59'],
      ['CPUQuotaPeriodUSec', 't', '100000'],
      ['CPUQuotaPerSecUSec', 't', '500000'],
      ['MemoryMax', 't', '64'],
      ['TasksMax', 't', '100'],
    ]);
    const infinity = '18446744073709551615';
    assert.deepEqual(limitProperties({ cpuQuota: 0, memoryBytes: 0, pids: 0 }), [
      ['CPUQuotaPeriodUSec', 't', '100000'],
      ['CPUQuotaPerSecUSec', 't', infinity],
      ['MemoryMax', 't', infinity],
      ['TasksMax', 't', infinity],
    ]);
    assert.deepEqual(limitProperties({}), []);
  });

  it('belong to the slice above them', () => {
    const wants = (name: string) => sliceProperties(name).find(([property]) => property === 'Wants');
    assert.deepEqual(wants('/kubepods.slice/kubepods-podu.slice'), ['Wants', 'as', '1', 'kubepods.slice']);
    assert.equal(wants('/kubepods.slice'), undefined);
  });
});
