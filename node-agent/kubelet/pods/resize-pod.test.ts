import assert from 'node:assert/strict';
import type { Pod, ResourceRequirements } from '../../../api/types/core-v1.ts';
import { planResize } from '../resources/allocation.ts';
import { createPodRecord } from './pod-record.ts';
import type { CgroupLimits } from '../../linux/cgroups/cgroup-values.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { PodContext } from './pod-state.ts';
import { allocate, resizeContainers } from './resize-pod.ts';

const node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '4', memory: '1Gi' } } };

function podOf(generation: number, resources: ResourceRequirements): Pod {
  const sidecar = { name: 'side', restartPolicy: 'Always' as const, resources: { requests: { cpu: '10m' } } };
  return {
    metadata: { name: 'web', uid: 'u', generation },
    spec: { initContainers: [{ name: 'init' }, sidecar], containers: [{ name: 'main', resources }] },
  };
}

describe('resizing a Pod', () => {
  const said = (resources: ResourceRequirements, others: readonly Pod[] = []) => {
    const events: string[][] = [];
    const record = createPodRecord(0);
    const step = (pod: Pod, sandboxes: 'none' | 'one') =>
      allocate({
        pod,
        runtimePod: { uid: 'u', runtimeName: 'containerd', sandboxes: sandboxes === 'none' ? [] : [sandbox], containers: [] },
        record,
        services: { resizeProblem: (asking) => planResize(asking, node, others) },
        events: { event: (type, reason, message) => void events.push([type, reason, message]) },
      });
    step(podOf(1, { requests: { cpu: '1' } }), 'none');
    step(podOf(2, resources), 'one');
    step(podOf(2, resources), 'one'); // says nothing twice
    return { events, pending: record.pendingResize };
  };
  const side = '"initContainers":[{"name":"side","resources":{"requests":{"cpu":"10m"}}}]';

  it('tells what is given, sidecars first, limits before requests, each in order', () => {
    const { events, pending } = said({ requests: { memory: '1Mi', cpu: '2' }, limits: { memory: '2Mi', cpu: '3' } });
    const main = '{"name":"main","resources":{"limits":{"cpu":"3","memory":"2Mi"},"requests":{"cpu":"2","memory":"1Mi"}}}';
    assert.deepEqual(events, [['Normal', 'ResizeStarted', `Pod resize started: {${side},"containers":[${main}],"generation":2}`]]);
    assert.equal(pending, undefined);
  });

  it('is infeasible beyond what the node has, memory first', () => {
    const { events, pending } = said({ requests: { cpu: '5', memory: '2Gi' } });
    const error = "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824";
    const main = '{"name":"main","resources":{"requests":{"cpu":"5","memory":"2Gi"}}}';
    assert.deepEqual(events, [
      ['Warning', 'ResizeInfeasible', `Pod resize Infeasible: {${side},"containers":[${main}],"generation":2,"error":"${error}"}`],
    ]);
    assert.deepEqual(pending, { reason: 'Infeasible', message: error });
  });

  it('is deferred while others have it', () => {
    const other: Pod = { metadata: { name: 'o' }, spec: { containers: [{ name: 'c', resources: { requests: { cpu: '3' } } }] } };
    const { events, pending } = said({ requests: { cpu: '2' } }, [other]);
    assert.equal(events[0]?.[1], 'ResizeDeferred');
    assert.deepEqual(pending, {
      reason: 'Deferred',
      message: "Node didn't have enough resource: cpu, requested: 2010, used: 3000, capacity: 4000",
    });
  });
});

const sandbox = {
  ...{ id: 's', created_at: '0', runtime_handler: '', labels: {}, annotations: {}, network: null, linux: null },
  metadata: { name: 'web', namespace: 'default', uid: 'u', attempt: 0 },
  state: 'SANDBOX_READY' as const,
};

describe('resizing a Pod as a whole', () => {
  const pod: Pod = {
    metadata: { name: 'web', uid: 'u', generation: 2 },
    spec: { containers: [{ name: 'main' }], resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '64Mi' } } },
  };
  const start = (problem?: string) => {
    const said: string[] = [];
    const record = createPodRecord(0);
    record.resizing = { generation: 2 };
    const services = {
      cgroups: {
        ensure: async (name: string, { cpuShares, cpuQuota, memoryBytes }: CgroupLimits) => {
          if (problem !== undefined) throw new Error(problem);
          said.push(`${name} ${cpuShares} ${cpuQuota} ${memoryBytes}`);
        },
      },
      cgroupNames: cgroupNames('cgroupfs', '/kubepods'),
      podCgroupRules: { pidsLimit: undefined, hugePageSizes: [] },
      weighClasses: async () => void said.push('weigh'),
    };
    const context = {
      ...{ pod, record, services, runtimePod: { uid: 'u', runtimeName: 'containerd', sandboxes: [sandbox], containers: [] } },
      events: () => ({ event: (_type: string, reason: string) => void said.push(reason) }),
    } as unknown as PodContext;
    return { said, record, resize: () => resizeContainers(context) };
  };

  it('limits its cgroup, though no container is any different', async () => {
    const { said, record, resize } = start();
    assert.equal(await resize(), false);
    assert.deepEqual(said, ['weigh', `/kubepods/burstable/podu 1024 200000 ${64 << 20}`, 'ResizeCompleted']);
    assert.equal(record.resizing, undefined);
    assert.equal(await resize(), false);
    assert.equal(said.length, 3, 'and leaves it then');
  });

  it('goes on until that has succeeded', async () => {
    const { said, record, resize } = start('EBUSY');
    await resize();
    await resize();
    assert.deepEqual([said, record.resizeProblem], [['weigh', 'ResizeError', 'weigh'], 'EBUSY']);
    assert.ok(record.resizing);
  });
});
