import assert from 'node:assert/strict';
import type { NodeStatus } from '../../../api/types/core-v1.ts';
import type { MachineFacts } from '../../linux/machine/machine.ts';
import { defaultEvictionFlags, parseEvictionFlags } from '../eviction/thresholds.ts';
import { defaultAllocatableFlags, parseAllocatableFlags } from '../resources/node-allocatable.ts';
import { nodeResources, type NodeResourcesInput, reservationProblem } from './node-resources.ts';

const kibi = 1024;
const machine: MachineFacts = {
  ...{ cpus: 4, memoryBytes: 8_144_356 * kibi, hostname: 'n', machineID: '', systemUUID: '', bootID: '', kernelVersion: '', osImage: '' },
  ...{ architecture: 'amd64', address: undefined, swapBytes: 0, maxProcesses: 4096, hugePages: [], hasAppArmor: false },
};
/** A node of a real cluster with 20 GiB of disk, of which its kubelet gives away 19316009748 bytes. */
const storageBytes = 20_959_212 * kibi;

function inputOf(flags: Partial<typeof defaultAllocatableFlags> = {}, evictionHard?: string, previous?: NodeStatus): NodeResourcesInput {
  return {
    ...{ machine, storageBytes, maxPods: 110, devices: new Map([['x.y/gpu', { total: 2, healthy: 1 }]]), previous },
    allocatable: parseAllocatableFlags({ ...defaultAllocatableFlags, ...flags }, 4),
    eviction: parseEvictionFlags({ ...defaultEvictionFlags, ...(evictionHard === undefined ? {} : { evictionHard }) }),
  };
}

describe('resources of a node', () => {
  const given = (input: NodeResourcesInput) => {
    const { allocatable } = nodeResources(input);
    return [allocatable['cpu'], allocatable['memory'], allocatable['ephemeral-storage']];
  };
  const cases: [name: string, input: NodeResourcesInput, allocatable: string[]][] = [
    ['by default all but the hard thresholds of eviction', inputOf(), ['4', `${8_144_356 - 102_400}Ki`, '19316009748']],
    ['no thresholds', inputOf({}, 'pid.available<5%'), ['4', '8144356Ki', '20959212Ki']],
    [
      'what is reserved, whether or not that is enforced',
      inputOf(
        { systemReserved: 'cpu=150m,memory=100Ki,pid=100', kubeReserved: 'cpu=1,ephemeral-storage=12Ki', enforceNodeAllocatable: 'none' },
        'memory.available<200Ki',
      ),
      ['2850m', `${8_144_356 - 300}Ki`, `${20_959_212 - 12}Ki`],
    ],
    [
      'CPUs by their number, in place of the amounts',
      inputOf({ systemReserved: 'cpu=150m', kubeReserved: 'cpu=1,memory=1Ki', reservedCpus: '0,2-3' }, 'memory.available<1Ki'),
      ['1', `${8_144_356 - 2}Ki`, '20959212Ki'],
    ],
    ['never less than nothing', inputOf({ systemReserved: 'cpu=9' }, ''), ['0', '8144356Ki', '20959212Ki']],
  ];
  for (const [name, input, expected] of cases) it(name, () => assert.deepEqual(given(input), expected));

  it('are told as a whole in the capacity', () => {
    const { capacity, allocatable } = nodeResources(inputOf({ systemReserved: 'cpu=1' }));
    assert.deepEqual([capacity['cpu'], capacity['memory'], capacity['ephemeral-storage']], ['4', '8144356Ki', '20959212Ki']);
    assert.deepEqual([capacity['x.y/gpu'], allocatable['x.y/gpu']], ['2', '1']);
  });

  it('have huge pages, which are no part of the memory that is left', () => {
    const hugePages = [
      { sizeBytes: 2048 * kibi, count: 100 },
      { sizeBytes: 1 << 30, count: 0 },
    ];
    const { capacity, allocatable } = nodeResources({ ...inputOf({}, 'memory.available<1Ki'), machine: { ...machine, hugePages } });
    assert.deepEqual([capacity['hugepages-2Mi'], capacity['hugepages-1Gi'], capacity['memory']], ['200Mi', '0', '8144356Ki']);
    assert.deepEqual([allocatable['hugepages-2Mi'], allocatable['memory']], ['200Mi', `${8_144_356 - 1 - 204_800}Ki`]);
  });

  it('are given away also where others have put them into the capacity', () => {
    const { capacity, allocatable } = nodeResources(
      inputOf({}, undefined, { capacity: { 'example.com/dongle': '4', 'kubernetes.io/own': '1', cpu: '64', 'x.y/gpu': '9' } }),
    );
    assert.equal(allocatable['example.com/dongle'], '4');
    assert.deepEqual([allocatable['kubernetes.io/own'], allocatable['cpu'], allocatable['x.y/gpu']], [undefined, '4', '1']);
    assert.equal(capacity['example.com/dongle'], undefined, 'theirs to change');
  });

  it('cannot be reserved beyond what there is', () => {
    assert.equal(reservationProblem(inputOf()), undefined);
    assert.equal(
      reservationProblem(inputOf({ systemReserved: 'cpu=3', kubeReserved: 'cpu=1500m' })),
      'invalid Node Allocatable configuration. Resource "cpu" has a reservation of 4500m but capacity of 4. Expected capacity >= reservation.',
    );
    assert.match(reservationProblem(inputOf({}, 'memory.available<9Gi')) ?? '', /Resource "memory" has a reservation of 9Gi but/);
  });
});
