import assert from 'node:assert/strict';
import { type AllocatableFlags, defaultAllocatableFlags, parseAllocatableFlags, podsLimits, reservedCgroups } from './node-allocatable.ts';

const parse = (flags: Partial<AllocatableFlags>) => parseAllocatableFlags({ ...defaultAllocatableFlags, ...flags }, 4);
const mebi = 1 << 20;

describe('node allocatable', () => {
  const wrong: [Partial<AllocatableFlags>, RegExp][] = [
    [{ enforceNodeAllocatable: 'pods,all' }, /option "all" specified for enforceNodeAllocatable .* Valid options are "none", "pods"/],
    [{ enforceNodeAllocatable: 'none,pods' }, /may not contain additional enforcements when "none" is specified/],
    [
      { enforceNodeAllocatable: 'system-reserved' },
      /systemReservedCgroup \(--system-reserved-cgroup\) must be specified when "system-reserved"/,
    ],
    [{ enforceNodeAllocatable: 'kube-reserved-compressible' }, /kubeReservedCgroup \(--kube-reserved-cgroup\) must be specified/],
    [
      { enforceNodeAllocatable: 'kube-reserved,kube-reserved-compressible', kubeReservedCgroup: '/k' },
      /both "kube-reserved" and "kube-reserved-compressible" cannot be specified/,
    ],
    [{ systemReserved: 'gpu=1' }, /cannot reserve "gpu" resource/],
    [{ systemReserved: 'cpu' }, /malformed pair cpu, expect string=string/],
    [{ kubeReserved: 'memory=-1Gi' }, /resource quantity for "memory" cannot be negative: -1Gi/],
    [{ kubeReserved: 'memory=much' }, /failed to parse quantity "much" for "memory" resource/],
    [{ reservedCpus: '3-1' }, /unable to parse reserved-cpus list: 3-1/],
    [{ reservedCpus: '0-4' }, /the machine has CPUs 0-3/],
    [{ reservedCpus: '0', systemReservedCgroup: '/s' }, /can't use reservedSystemCPUs \(--reserved-cpus\) with systemReservedCgroup/],
  ];
  for (const [flags, problem] of wrong) it(`refuses ${JSON.stringify(flags)}`, () => assert.throws(() => parse(flags), problem));

  const capacity = { cpu: 4000, memory: 1000 * mebi, pid: 32_768 };
  const reserved = { systemReserved: 'cpu=500m,memory=100Mi,pid=768', kubeReserved: 'cpu=500m,memory=50Mi' };
  const limits: [string, Partial<AllocatableFlags>, object][] = [
    ['all of the machine by default', {}, { cpuShares: 4096, memoryBytes: 1000 * mebi, pids: 32_768 }],
    ['less what is reserved', reserved, { cpuShares: 3072, memoryBytes: 850 * mebi, pids: 32_000 }],
    [
      'all of it where that is not enforced',
      { ...reserved, enforceNodeAllocatable: 'none' },
      { cpuShares: 4096, memoryBytes: 1000 * mebi, pids: 32_768 },
    ],
    [
      'as little as there can be, which is not no limit',
      { systemReserved: 'cpu=9,memory=9Gi,pid=99999' },
      { cpuShares: 2, memoryBytes: 1, pids: 1 },
    ],
  ];
  for (const [name, flags, expected] of limits)
    it(`Pods have ${name}`, () => assert.deepEqual(podsLimits(capacity, parse(flags)), expected));

  it('limits nothing of which the machine does not tell how much there is', () =>
    assert.deepEqual(podsLimits({ cpu: 1000, memory: 0, pid: 0 }, parse(reserved)), { cpuShares: 2 }));

  it('holds cgroups of the machine to their part, as far as asked for', () => {
    const cgroups = { systemReservedCgroup: '/system.slice', kubeReservedCgroup: '/kube' };
    const of = (enforceNodeAllocatable: string) =>
      reservedCgroups(parse({ ...reserved, ...cgroups, enforceNodeAllocatable })).map(({ name, limits: its }) => [name, its]);
    assert.deepEqual(of('pods'), []);
    assert.deepEqual(of('pods,system-reserved,kube-reserved-compressible'), [
      ['/system.slice', { cpuShares: 512, memoryBytes: 100 * mebi, pids: 768 }],
      ['/kube', { cpuShares: 512 }],
    ]);
  });
});
