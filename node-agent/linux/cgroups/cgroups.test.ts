import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cpuWeight, isWider, legacyValues, unifiedValues } from './cgroup-values.ts';
import { ensureUnifiedDirectory } from './cgroups.ts';

describe('cgroups', () => {
  const limits = { cpuShares: 1024, cpuQuota: 50_000, memoryBytes: 1 << 20, pids: 100 };
  const shown = (values: ReturnType<typeof legacyValues>) => values.map(({ controller, file, value }) => `${controller} ${file} ${value}`);

  it('version 1 has a hierarchy per controller', () => {
    assert.deepEqual(shown(legacyValues(limits)), [
      'cpu cpu.shares 1024',
      'cpu cpu.cfs_period_us 100000',
      'cpu cpu.cfs_quota_us 50000',
      'memory memory.limit_in_bytes 1048576',
      'pids pids.max 100',
    ]);
    assert.deepEqual(shown(legacyValues({ cpuQuota: 0, memoryBytes: 0, pids: 0 })), [
      'cpu cpu.cfs_period_us 100000',
      'cpu cpu.cfs_quota_us -1',
      'memory memory.limit_in_bytes -1',
      'pids pids.max max',
    ]);
  });

  it('version 2 has one for all', () => {
    assert.deepEqual(shown(unifiedValues(limits)), [
      'cpu cpu.weight 39',
      'cpu cpu.max 50000 100000',
      'memory memory.max 1048576',
      'pids pids.max 100',
    ]);
    assert.deepEqual(shown(unifiedValues({ cpuQuota: 0, memoryBytes: 0 })), ['cpu cpu.max max 100000', 'memory memory.max max']);
    assert.deepEqual(unifiedValues({}), []);
  });

  const weights: [shares: number, weight: number][] = [
    [0, 1],
    [2, 1],
    [1024, 39],
    [1536, 59],
    [3072, 118],
    [262_144, 10_000],
  ];
  for (const [shares, weight] of weights) it(`${shares} shares weigh ${weight}`, () => assert.equal(cpuWeight(shares), weight));

  const widths: [value: string, present: string, wider: boolean][] = [
    ['200', '100\n', true],
    ['100', '200', false],
    ['100', '100', false],
    ['max', '100', true],
    ['100', 'max\n', false],
    ['-1', '100', true],
    ['50000 100000', '20000 100000\n', true],
    ['max 100000', 'max 100000\n', false],
  ];
  for (const [value, present, wider] of widths)
    it(`${value} is ${wider ? '' : 'not '}wider than ${present.trim()}`, () => assert.equal(isWider(value, present), wider));

  it('hands controllers down to the parents of a cgroup of version 2', async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'cgroup-'));
    try {
      // A kernel would make these files with the folder.
      for (const folder of ['', '/kubepods']) {
        mkdirSync(root + folder, { recursive: true });
        writeFileSync(`${root}${folder}/cgroup.controllers`, 'cpu memory rdma pids\n');
      }
      await ensureUnifiedDirectory(root, '/kubepods/pod1');
      for (const folder of ['', '/kubepods'])
        assert.equal(readFileSync(`${root}${folder}/cgroup.subtree_control`, 'utf8'), '+cpu +memory +pids');
      assert.throws(() => readFileSync(`${root}/kubepods/pod1/cgroup.subtree_control`), /ENOENT/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
