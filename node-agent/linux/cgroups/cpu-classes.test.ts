import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createNodeCgroups } from '../../kubelet/resources/node-cgroups.ts';
import { podCgroupLimits, podCgroupName } from '../../kubelet/resources/pod-resources.ts';
import { cgroupNames } from './cgroup-names.ts';
import { cpuWeight } from './cgroup-values.ts';
import { createCgroups, readCgroupHierarchies } from './cgroups.ts';
import { createUsageReader } from '../machine/node-usage.ts';

/** Enough for the kernel's shares to show. */
const measuredNanoSeconds = 1e9;
const patienceMs = 40_000;

function podOf(uid: string, milliCPU: number | undefined): Pod {
  const resources = milliCPU === undefined ? {} : { requests: { cpu: `${milliCPU}m` } };
  return { metadata: { name: uid, uid }, spec: { containers: [{ name: 'c', resources }] } };
}

/** The first that this process may run on. */
function firstCPU(): string {
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

/** Whether this process may make cgroups wherever it needs some. */
async function mayMakeCgroups(): Promise<boolean> {
  try {
    const { roots, rootOf } = await readCgroupHierarchies();
    for (const root of roots) accessSync(root, constants.W_OK);
    return rootOf('cpu') !== undefined && rootOf('memory') !== undefined && os.userInfo().uid === 0;
  } catch {
    return false; // read-only, or not there
  }
}

describe('processors of a busy node', function () {
  this.timeout(60_000);
  const { length: cpus } = os.cpus();
  const requested = Math.floor(cpus * 750);

  /** The expected share of the time that both had together, by how the kernel divides it among weights at each level. */
  const expectedShare = requested > 0 ? cpuWeight((requested * 1024) / 1000) / (cpuWeight((requested * 1024) / 1000) + cpuWeight(2)) : 0;

  it('are a Burstable Pod’s that requests three quarters of them, whatever a BestEffort one would like', async function () {
    if (!(await mayMakeCgroups())) return this.skip();
    const names = cgroupNames('cgroupfs', `/kubets-cpu-test-${process.pid}/kubepods`);
    const cgroups = await createCgroups();
    const usage = createUsageReader(cgroups.hierarchies);
    const [worker, hog] = [podOf('worker', requested), podOf('hog', undefined)];
    const nodeCgroups = createNodeCgroups({
      ...{ cgroups, names, clock: systemClock, logger: silentLogger, reserved: [], event: () => {} },
      podsLimits: { cpuShares: 1024 * cpus },
      counted: () => ({ pods: [worker, hog], isComplete: true }),
    });
    const programs: ChildProcess[] = [];
    try {
      await nodeCgroups.start();
      await nodeCgroups.weigh();
      for (const pod of [worker, hog]) {
        const name = podCgroupName(names, pod);
        await cgroups.ensure(name, podCgroupLimits(pod, { pidsLimit: undefined, hugePageSizes: [] }));
        // All on one processor: what else runs here could keep them apart, and then nobody competes.
        const program = spawn('taskset', ['-c', firstCPU(), 'sh', '-c', 'read begin; while :; do :; done'], {
          stdio: ['pipe', 'ignore', 'ignore'],
        });
        programs.push(program);
        for (const file of cgroups.memberFiles(name)) writeFileSync(file, String(program.pid));
      }
      const spent = async () =>
        Promise.all([worker, hog].map(async (pod) => (await usage.cgroup(podCgroupName(names, pod)))?.cpuNanoSeconds ?? 0));
      for (const { stdin } of programs) stdin?.end('begin\n');
      const before = await spent();
      const deadline = performance.now() + patienceMs;
      let [ofWorker, ofHog] = [0, 0];
      while (ofWorker + ofHog < measuredNanoSeconds) {
        assert.ok(performance.now() < deadline, 'the machine has no time for them');
        await new Promise((resolve) => setTimeout(resolve, 100));
        [ofWorker = 0, ofHog = 0] = (await spent()).map((total, index) => total - (before[index] ?? 0));
      }
      const share = ofWorker / (ofWorker + ofHog);
      assert.ok(share >= 0.9 * expectedShare, `${(share * 100).toFixed(1)} % of ${(expectedShare * 100).toFixed(1)} %`);
    } finally {
      for (const program of programs) program.kill('SIGKILL');
      await cgroups.kill(names.root);
      while (!(await cgroups.remove(names.root))) await new Promise((resolve) => setTimeout(resolve, 20));
      await cgroups.remove(`/kubets-cpu-test-${process.pid}`);
    }
  });
});
