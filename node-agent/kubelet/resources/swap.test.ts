import assert from 'node:assert/strict';
import type { Pod, ResourceRequirements } from '../../../api/types/core-v1.ts';
import { type SwapRules, swapResources } from './swap.ts';

describe('swap', () => {
  const rules: SwapRules = {
    behavior: 'LimitedSwap',
    cgroupVersion: 2,
    limitsSwap: true,
    machineSwapBytes: 1 << 30,
    machineMemoryBytes: 4 << 28,
  };
  const cases: [string, ResourceRequirements, Partial<SwapRules>, Pod['spec'] | undefined, object][] = [
    [
      'as much as is requested of the memory',
      { requests: { memory: '256Mi' } },
      {},
      undefined,
      { unified: { 'memory.swap.max': String(1 << 28) } },
    ],
    [
      'none of it by default',
      { requests: { memory: '256Mi' } },
      { behavior: 'NoSwap' },
      undefined,
      { unified: { 'memory.swap.max': '0' } },
    ],
    ['none for what cannot grow', { limits: { memory: '256Mi' } }, {}, undefined, { unified: { 'memory.swap.max': '0' } }],
    ['none where nothing is requested', {}, {}, undefined, { unified: { 'memory.swap.max': '0' } }],
    [
      'none for the critical',
      { requests: { memory: '256Mi' } },
      {},
      { containers: [], priority: 2_000_001_000 },
      { unified: { 'memory.swap.max': '0' } },
    ],
    ['nothing where the kernel cannot limit it', { requests: { memory: '256Mi' } }, { limitsSwap: false }, undefined, {}],
    [
      'none, also where the machine has none yet',
      { requests: { memory: '256Mi' } },
      { machineSwapBytes: 0 },
      undefined,
      { unified: { 'memory.swap.max': '0' } },
    ],
    [
      'version 1: no more than the memory',
      { limits: { memory: '1Mi' } },
      { cgroupVersion: 1 },
      undefined,
      { memory_swap_limit_in_bytes: 1 << 20 },
    ],
    ['version 1 without a limit', {}, { cgroupVersion: 1 }, undefined, {}],
  ];
  for (const [name, resources, more, spec, expected] of cases) {
    it(name, () => {
      const container = { name: 'c', resources };
      const pod: Pod = { metadata: {}, spec: { ...spec, containers: [container] } };
      assert.deepEqual(swapResources(pod, container, { ...rules, ...more }), expected);
    });
  }
});
