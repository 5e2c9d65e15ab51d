import assert from 'node:assert/strict';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { isSameAllocation, planResize, recordedAllocation, requestedAllocation, withAllocation } from './allocation.ts';
import { boundedByPod } from './pod-resources.ts';
import { linuxResources, outdatedResources, presentResources } from './runtime-resources.ts';

const node: Node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '1Gi', pods: '110' } } };

function podOf(name: string, cpu: string, memory = '10Mi', status: Pod['status'] = {}): Pod {
  return { metadata: { name }, spec: { containers: [{ name: 'c', resources: { requests: { cpu, memory } } }] }, status };
}

describe('planning a resize', () => {
  const others = [podOf('a', '500m'), podOf('b', '500m')];
  const cases: [string, Pod, string | undefined][] = [
    ['there is room', podOf('p', '1'), undefined],
    ['others have it', podOf('p', '1100m'), "Deferred: Node didn't have enough resource: cpu, requested: 1100, used: 1000, capacity: 2000"],
    ['the node has not so much', podOf('p', '3'), "Infeasible: Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"],
    ['memory', podOf('p', '1', '2Gi'), "Infeasible: Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824"],
    [
      'a static Pod',
      { ...podOf('p', '1'), metadata: { name: 'p', annotations: { 'kubernetes.io/config.source': 'file' } } },
      'Infeasible: In-place resize of static-pods is not supported',
    ],
  ];
  for (const [name, pod, expected] of cases) {
    it(name, () => {
      const problem = planResize(pod, node, others);
      assert.equal(problem && `${problem.reason}: ${problem.message}`, expected);
    });
  }

  it('does not count what the status of a Pod still reserves', () => {
    const status = {
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 0, resources: { requests: { cpu: '2' } } }],
    };
    assert.equal(planResize(podOf('p', '1', '10Mi', status), node, others), undefined);
  });
});

describe('allocation', () => {
  it('is compared by value', () => {
    assert.ok(isSameAllocation(requestedAllocation(podOf('p', '1')), requestedAllocation(podOf('p', '1000m'))));
    assert.ok(!isSameAllocation(requestedAllocation(podOf('p', '1')), requestedAllocation(podOf('p', '2'))));
  });

  it('stands in for what is asked for', () => {
    const pod = withAllocation(podOf('p', '4'), requestedAllocation(podOf('p', '1')));
    assert.deepEqual(pod.spec?.containers?.[0]?.resources?.requests, { cpu: '1', memory: '10Mi' });
  });

  it('is remembered by the status', () => {
    const common = { name: 'c', image: '', imageID: '', ready: true, restartCount: 0 };
    const running = { ...common, state: { running: {} }, allocatedResources: { cpu: '1' }, resources: { limits: { cpu: '2' } } };
    assert.deepEqual(recordedAllocation(podOf('p', '4', '10Mi', { containerStatuses: [running] })).get('c'), {
      requests: { cpu: '1' },
      limits: { cpu: '2' },
    });
    const waiting = { ...running, state: { waiting: {} } };
    assert.deepEqual(recordedAllocation(podOf('p', '4', '10Mi', { containerStatuses: [waiting] })).get('c')?.requests, {
      cpu: '4',
      memory: '10Mi',
    });
  });
});

describe('resources in the runtime', () => {
  const container = { name: 'c', resources: { requests: { cpu: '500m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } } };
  const stated = (shares: number, quota: number, memory: number) => ({
    ...{ cpu_shares: String(shares), cpu_quota: String(quota), cpu_period: '100000', memory_limit_in_bytes: String(memory) },
  });
  const right = stated(512, 100_000, 128 << 20);
  const podOfOne: Pod = { metadata: {}, spec: { containers: [container] } };

  it('are as they are asked for', () => {
    const asked = linuxResources(podOfOne, container, {
      ...{ behavior: 'NoSwap', cgroupVersion: 1, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: 1 << 30 },
    });
    assert.deepEqual([asked.cpu_shares, asked.cpu_quota, asked.memory_limit_in_bytes], [512, 100_000, 128 << 20]);
    assert.deepEqual(outdatedResources(container, right), []);
    assert.deepEqual(presentResources(podOfOne, container, right), container.resources);
  });

  const cases: [string, ReturnType<typeof stated> | undefined, string[]][] = [
    ['a runtime that does not tell', undefined, []],
    ['shares', stated(1024, 100_000, 128 << 20), ['cpu']],
    ['quota', stated(512, 50_000, 128 << 20), ['cpu']],
    ['no quota', stated(512, -1, 128 << 20), ['cpu']],
    ['memory', stated(512, 100_000, 64 << 20), ['memory']],
    ['both', stated(2, 0, 0), ['cpu', 'memory']],
  ];
  for (const [name, actual, expected] of cases)
    it(`outdated: ${name}`, () => assert.deepEqual(outdatedResources(container, actual), expected));

  it('without limits are not outdated', () => {
    assert.deepEqual(outdatedResources({ name: 'c', resources: { requests: { cpu: '500m' } } }, stated(512, 0, 0)), []);
    assert.deepEqual(outdatedResources({ name: 'c' }, stated(2, -1, 0)), []);
  });

  it('are those of the Pod as a whole where the container has none', () => {
    const loose = { name: 'c', resources: { requests: { cpu: '500m' }, limits: { cpu: '1' } } };
    const pod: Pod = { metadata: {}, spec: { containers: [loose], resources: { limits: { cpu: '4', memory: '128Mi' } } } };
    const asked = linuxResources(pod, loose, {
      ...{ behavior: 'NoSwap', cgroupVersion: 1, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: 1 << 30 },
    });
    assert.deepEqual([asked.cpu_shares, asked.cpu_quota, asked.memory_limit_in_bytes], [512, 100_000, 128 << 20]);
    assert.deepEqual(outdatedResources(boundedByPod(pod, loose), right), []);
    assert.deepEqual(presentResources(pod, loose, right), loose.resources);
  });

  it('are told as they still are', () => {
    assert.deepEqual(presentResources(podOfOne, container, stated(1024, 50_000, 64 << 20)), {
      requests: { cpu: '1', memory: '64Mi' },
      limits: { cpu: '500m', memory: '64Mi' },
    });
    assert.deepEqual(presentResources(podOfOne, container, stated(2, 0, 0)), { requests: { memory: '64Mi' } });
  });
});

describe('a Pod that asks for resources as a whole', () => {
  const podOfWhole = (cpu: string, status: Pod['status'] = {}): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c' }], resources: { requests: { cpu }, limits: { cpu: '2' } } },
    status,
  });
  it('is given them beside those of its containers', () => {
    const wanted = requestedAllocation(podOfWhole('1'));
    assert.equal(isSameAllocation(wanted, requestedAllocation(podOfWhole('1000m'))), true);
    assert.equal(isSameAllocation(wanted, requestedAllocation(podOfWhole('500m'))), false);
    assert.deepEqual(withAllocation(podOfWhole('500m'), wanted).spec?.resources?.requests, { cpu: '1' });
  });
  it('has what its status remembers', () => {
    const recorded = recordedAllocation(
      podOfWhole('1', { allocatedResources: { cpu: '500m', memory: '5Mi' }, resources: { limits: { cpu: '1' } } }),
    );
    assert.deepEqual(recorded.get(''), { requests: { cpu: '500m' }, limits: { cpu: '1' } });
    assert.deepEqual(recordedAllocation(podOfWhole('1')).get(''), { requests: { cpu: '1' }, limits: { cpu: '2' } });
  });
});
