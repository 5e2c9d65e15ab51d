import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import { cgroupNames } from './cgroup-names.ts';
import { type Cgroups, createCgroups } from './cgroups.ts';
import { runProgram } from '../processes/run-program.ts';
import { createSlices, isBootedBySystemd } from './systemd-slices.ts';

/** Runs on machines that systemd has booted, with cgroups of version 2. */
describe('a real systemd, as root', function () {
  this.timeout(60_000);
  const names = cgroupNames('systemd', `/kubets-slices-test-${process.pid}/kubepods`);
  const pod = names.ofPod('Burstable', 'a-1');
  let cgroups: Cgroups;

  before(async function () {
    if (os.userInfo().uid !== 0 || !(await isBootedBySystemd())) return this.skip();
    cgroups = await createCgroups(createSlices(systemClock));
    if (cgroups.version === 1) this.skip();
  });

  after(async () => {
    if (cgroups?.version !== 2) return;
    for (let end = pod.length; end > 0; end = pod.lastIndexOf('/', end - 1)) await cgroups.remove(pod.slice(0, end));
  });

  const shown = async (...properties: string[]) =>
    (await runProgram('systemctl', ['show', path.basename(pod), '-p', properties.join(',')])).trim().split('\n').sort();

  it('makes slices with limits, and changes these', async () => {
    await cgroups.ensure(names.root, { cpuShares: 2048 });
    await cgroups.ensure(names.ofClass('Burstable'), { cpuShares: 2 });
    await cgroups.ensure(pod, { cpuShares: 512, cpuQuota: 50_000, memoryBytes: 64 << 20, pids: 100 });
    assert.ok(existsSync(`${cgroups.hierarchies.roots[0]}${pod}`));
    const limits = ['CPUWeight', 'CPUQuotaPerSecUSec', 'MemoryMax', 'TasksMax'];
    assert.deepEqual(await shown(...limits), ['CPUQuotaPerSecUSec=500ms', 'CPUWeight=20', 'MemoryMax=67108864', 'TasksMax=100']);
    await cgroups.ensure(pod, { cpuShares: 1024, cpuQuota: 0, memoryBytes: 0 });
    assert.deepEqual(await shown(...limits), ['CPUQuotaPerSecUSec=infinity', 'CPUWeight=39', 'MemoryMax=infinity', 'TasksMax=100']);
  });

  it('stops none with processes in it, and leaves nothing of an empty one', async () => {
    const sleeper = spawn('sleep', ['1000']);
    const [members = ''] = cgroups.memberFiles(pod);
    writeFileSync(members, String(sleeper.pid));
    assert.equal(await cgroups.remove(pod), false);
    assert.equal(sleeper.exitCode, null);
    await cgroups.kill(pod);
    while (!(await cgroups.remove(pod))) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(existsSync(`${cgroups.hierarchies.roots[0]}${pod}`), false);
    assert.equal(await cgroups.remove(pod), true, 'once more');
    const unit = path.basename(pod);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const folder of ['/run/systemd/transient', '/run/systemd/system.control'])
      assert.deepEqual(existsSync(folder) ? readdirSync(folder).filter((name) => name === unit) : [], []);
  });
});
