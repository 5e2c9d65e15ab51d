import assert from 'node:assert/strict';
import type { Pod, ResourceRequirements } from '../../../api/types/core-v1.ts';
import { planResize } from '../resources/allocation.ts';
import { createPodRecord } from './pod-record.ts';
import { allocate } from './resize-pod.ts';

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
