import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pid } from 'node:process';
import { createPressureReader, parsePressure } from './pressure.ts';
import { parseProcess, readProcessUsage } from './process-usage.ts';

const some = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=1234567\n';
const full = 'full avg10=0.10 avg60=0.00 avg300=0.00 total=89\n';

describe('pressure', () => {
  it('is read from lines of the kernel, of older ones too', () => {
    const times = { avg10: 1.5, avg60: 0.25, avg300: 0, total: 1_234_567 };
    assert.deepEqual(parsePressure(some + full), { some: times, full: { avg10: 0.1, avg60: 0, avg300: 0, total: 89 } });
    assert.deepEqual(parsePressure(some), { some: times, full: { avg10: 0, avg60: 0, avg300: 0, total: 0 } });
    assert.equal(parsePressure(''), undefined);
  });

  it('is that of the machine and of cgroups of version 2 alone', async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'kubets-pressure-'));
    try {
      for (const folder of ['proc/pressure', 'kubepods/podu1/c1', 'kubepods/podu1/empty'])
        mkdirSync(`${root}/${folder}`, { recursive: true });
      writeFileSync(`${root}/proc/pressure/io`, some + full);
      writeFileSync(`${root}/kubepods/podu1/c1/cpu.pressure`, some);
      const hierarchies = { mounts: [], roots: [root], rootOf: () => root };
      const reader = createPressureReader({ ...hierarchies, version: 2 }, `${root}/proc`);
      assert.deepEqual(Object.keys((await reader.node()) ?? {}), ['io']);
      assert.deepEqual([...(await reader.children('/kubepods/podu1')).keys()], ['c1']);
      assert.equal((await reader.cgroup('/kubepods/podu1/c1'))?.cpu?.some.avg10, 1.5);
      assert.equal(await reader.cgroup('/kubepods/gone'), undefined);
      const legacy = createPressureReader({ ...hierarchies, version: 1 }, `${root}/proc`);
      assert.deepEqual([await legacy.node(), await legacy.cgroup('/kubepods/podu1/c1')], [undefined, undefined]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('usage of processes', () => {
  it('is read whatever their names are', () => {
    const stat = '7 (a) b) (c) S 1 7 7 0 -1 4194560 100 0 5 0 11 22 0 0 20 0 9 0 4321 5000 300 1 1 1 0 0 0 0\n';
    const status = 'Name:\ta\nVmRSS:\t  1200 kB\nRssAnon:\t   200 kB\nRssFile:\t   1000 kB\n';
    assert.deepEqual(parseProcess(stat, status), {
      ...{ cpuTicks: 33, startTicks: 4321, pageFaults: 105, majorPageFaults: 5, residentBytes: 1200 * 1024, ownBytes: 200 * 1024 },
    });
  });

  it('is that of this process, and none of one that has ended', async () => {
    const usage = await readProcessUsage([pid, 2 ** 22 + 1]);
    assert.ok(
      usage && usage.cpuNanoSeconds > 0 && usage.memory.rssBytes > 1 << 20 && usage.memory.workingSetBytes >= usage.memory.rssBytes,
    );
    assert.ok(Math.abs(usage.startedMs - Date.now()) < 3_600_000);
    assert.equal(await readProcessUsage([2 ** 22 + 1]), undefined);
  });
});
