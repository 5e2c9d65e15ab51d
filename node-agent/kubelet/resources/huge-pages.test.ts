import assert from 'node:assert/strict';
import { parseResourceList } from '../../../api/semantics/pods/resource-list.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { hugePageFileSize } from '../../linux/machine/huge-pages.ts';
import { hugePageLimits, hugePagesResource, volumePageSize } from './huge-pages.ts';
import { defaultAllocatableFlags, parseAllocatableFlags, podsLimits } from './node-allocatable.ts';
import { podCgroupLimits } from './pod-resources.ts';
import { linuxResources } from './runtime-resources.ts';

const [mebi, gibi] = [1 << 20, 1 << 30];
const sizes = [2 * mebi, gibi];

describe('huge pages', () => {
  const names: [size: number, resource: string, file: string][] = [
    [64 * 1024, 'hugepages-64Ki', '64KB'],
    [2 * mebi, 'hugepages-2Mi', '2MB'],
    [32 * mebi, 'hugepages-32Mi', '32MB'],
    [gibi, 'hugepages-1Gi', '1GB'],
  ];
  for (const [size, resource, file] of names)
    it(resource, () => assert.deepEqual([hugePagesResource(size), hugePageFileSize(size)], [resource, file]));

  it('of a size that is not asked for are none', () => {
    assert.deepEqual(hugePageLimits(sizes, { 'hugepages-2Mi': '8Mi', memory: '1Gi' }), { '2MB': 8 * mebi, '1GB': 0 });
    assert.deepEqual(hugePageLimits([], { 'hugepages-2Mi': '8Mi' }), {});
  });

  it('limit Pods, and each container by its own', () => {
    const container = { name: 'c', resources: { requests: { memory: '1Mi', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } } };
    const pod: Pod = { metadata: {}, spec: { containers: [container, { ...container, name: 'd' }] } };
    const { hugePages } = podCgroupLimits(pod, { pidsLimit: undefined, hugePageSizes: sizes });
    assert.deepEqual(hugePages, { '2MB': 8 * mebi, '1GB': 0 });
    const rules = { behavior: 'NoSwap', cgroupVersion: 2, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: gibi } as const;
    assert.deepEqual(linuxResources(pod, container, { ...rules, hugePageSizes: sizes }).hugepage_limits, [
      { page_size: '2MB', limit: 4 * mebi },
      { page_size: '1GB', limit: 0 },
    ]);
    assert.equal('hugepage_limits' in linuxResources(pod, container, rules), false, 'the kernel cannot limit them');
  });

  it('are no part of the memory that Pods may use', () => {
    const settings = parseAllocatableFlags(defaultAllocatableFlags, 2);
    const capacity = { cpu: 2000, memory: gibi, pid: 100 };
    const limits = podsLimits(capacity, settings, [{ sizeBytes: 2 * mebi, count: 10 }], true);
    assert.deepEqual([limits.memoryBytes, limits.hugePages], [gibi - 20 * mebi, { '2MB': 20 * mebi }]);
  });

  const volumes: [medium: string, requests: Record<string, string>, expected: number | RegExp][] = [
    ['HugePages', { 'hugepages-2Mi': '4Mi', cpu: '1' }, 2 * mebi],
    ['HugePages-1Gi', { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' }, gibi],
    ['HugePages', { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' }, /single huge page size/],
    ['HugePages', { cpu: '1' }, /no resource request for huge pages/],
    ['HugePages-1Gi', { 'hugepages-2Mi': '4Mi' }, /HugePages-1Gi is not among the huge pages that the Pod requests/],
  ];
  for (const [medium, requests, expected] of volumes) {
    it(`a volume of medium ${medium}, ${Object.keys(requests).join(' and ')} requested`, () => {
      const find = () => volumePageSize(medium, parseResourceList(requests));
      if (typeof expected === 'number') assert.equal(find(), expected);
      else assert.throws(find, expected);
    });
  }
});
