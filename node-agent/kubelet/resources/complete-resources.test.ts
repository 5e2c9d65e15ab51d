import assert from 'node:assert/strict';
import type { ContainerStatus } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import { legacyLimits, unifiedLimits } from '../../linux/cgroups/cgroup-values.ts';
import { completeResources } from './complete-resources.ts';
import { outdatedResources } from './runtime-resources.ts';

describe('what containers have', () => {
  const limits = { cpuShares: 51, cpuWeight: undefined, cpuQuota: 10_000, cpuPeriod: 100_000, memoryBytes: 64 };
  const fromCgroup = { cpu_shares: '51', cpu_quota: '10000', cpu_period: '100000', memory_limit_in_bytes: '64' };
  const resourcesOf = async (status: Partial<ContainerStatus>) => {
    const labels = { 'io.kubernetes.pod.uid': 'u' };
    const whole = { state: 'CONTAINER_RUNNING', labels, ...status };
    const runtime = { containerStatus: async () => whole } as unknown as ContainerRuntime;
    const complete = completeResources(runtime, {
      cgroups: {
        children: async (name) => (name === '/kubepods/burstable/podu' ? ['pause', 'crio-conmon-x', 'crio-c1'] : []),
        limits: async (name) => (name === '/kubepods/burstable/podu/crio-c1' ? limits : undefined),
      },
      cgroupNames: cgroupNames('cgroupfs', '/kubepods'),
    });
    return (await complete.containerStatus('c1')).resources?.linux;
  };
  const told = { ...fromCgroup, cpu_shares: '2' };
  it('is what the runtime tells', async () => assert.deepEqual(await resourcesOf({ resources: { linux: told } }), told));
  it('or what their cgroup has', async () => assert.deepEqual(await resourcesOf({ resources: null }), fromCgroup));
  it('while they run', async () => assert.equal(await resourcesOf({ state: 'CONTAINER_EXITED' }), undefined));
  it('and if they are of a Pod', async () => assert.equal(await resourcesOf({ labels: {} }), undefined));

  it('is read from cgroups of both versions', () => {
    assert.deepEqual(legacyLimits(['10000\n', '100000\n', '51\n', '64\n']), limits);
    assert.deepEqual(legacyLimits(['-1\n', '100000\n', '2\n', '9223372036854771712\n']), {
      ...{ cpuShares: 2, cpuWeight: undefined, cpuQuota: 0, cpuPeriod: 100_000, memoryBytes: 0 },
    });
    assert.deepEqual(unifiedLimits(['10000 100000\n', '64\n', '3\n']), { ...limits, cpuShares: undefined, cpuWeight: 3 });
    assert.deepEqual(unifiedLimits(['max 100000\n', 'max\n', '1\n']), {
      cpuShares: undefined,
      cpuWeight: 1,
      cpuQuota: 0,
      cpuPeriod: 100_000,
      memoryBytes: 0,
    });
  });

  it('is compared as far as it is known', () => {
    const container = { name: 'c', resources: { requests: { cpu: '50m' }, limits: { cpu: '100m', memory: '64' } } };
    const cases: [object, string[]][] = [
      [{}, []],
      [{ cpu_shares: '' }, []],
      [{ cpu_shares: '52' }, ['cpu']],
      [{ cpu_shares: '', cpu_quota: '20000' }, ['cpu']],
      [{ memory_limit_in_bytes: '0' }, ['memory']],
    ];
    for (const [more, expected] of cases) assert.deepEqual(outdatedResources(container, { ...fromCgroup, ...more }), expected);
  });
});
