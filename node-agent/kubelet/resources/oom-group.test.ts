import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import { oomGroup } from './oom-group.ts';
import { linuxResources } from './runtime-resources.ts';

describe('containers short of memory', () => {
  const cases = [
    [{ cgroupVersion: 2 }, { 'memory.oom.group': '1' }],
    [{ cgroupVersion: 2, singleProcessOOMKill: true }, {}],
    [{ cgroupVersion: 1 }, {}],
    [{ cgroupVersion: 1, singleProcessOOMKill: true }, {}],
  ] as const;
  for (const [rules, expected] of cases) it(JSON.stringify(rules), () => assert.deepEqual(oomGroup(rules), expected));

  it('end as a whole whether or not swap is limited, too', () => {
    const pod: Pod = { metadata: {}, spec: { containers: [{ name: 'c' }] } };
    const rules = { behavior: 'NoSwap', cgroupVersion: 2, machineSwapBytes: 0, machineMemoryBytes: 1 << 30 } as const;
    const unified = (limitsSwap: boolean) => linuxResources(pod, { name: 'c' }, { ...rules, limitsSwap }).unified;
    assert.deepEqual(unified(false), { 'memory.oom.group': '1' });
    assert.deepEqual(unified(true), { 'memory.oom.group': '1', 'memory.swap.max': '0' });
  });

  it('say nothing to hierarchies of version 1', () => {
    const pod: Pod = { metadata: {}, spec: { containers: [{ name: 'c' }] } };
    const rules = { behavior: 'NoSwap', cgroupVersion: 1, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: 1 << 30 } as const;
    assert.equal('unified' in linuxResources(pod, { name: 'c' }, rules), false);
  });
});
