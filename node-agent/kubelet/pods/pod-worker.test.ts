import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import type { APIRequest, APIResponse, Transport } from '../../../api/client/transport.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { PodServices } from './pod-services.ts';
import { createPodWorker } from './pod-worker.ts';

const pod: Pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1' },
  spec: { containers: [{ name: 'main', image: 'img' }] },
  status: { phase: 'Running' },
};

/** A node without containers, whose runtime answers when it is told to, and the phases that its API is told. */
function slowNode() {
  const clock = createManualClock();
  const asked: (() => void)[] = [];
  const phases: (string | undefined)[] = [];
  const answers = { areHeld: false };
  const runtime = {
    name: async () => 'containerd',
    listContainers: async () => [],
    listPodSandboxes: () =>
      new Promise<[]>((resolve) => {
        if (answers.areHeld) asked.push(() => resolve([]));
        else resolve([]);
      }),
  };
  const transport: Transport = async ({ body }: APIRequest): Promise<APIResponse> => {
    const { status } = JSON.parse(new TextDecoder().decode(body)) as { status: { phase?: string } };
    phases.push(status.phase);
    const answer = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(phases.length + 1) } };
    const bytes = new TextEncoder().encode(JSON.stringify(answer));
    return { status: 200, headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } };
  };
  const services = {
    ...{ clock, logger: silentLogger, runtime, hostIPs: ['192.0.2.1'], cgroupNames: cgroupNames('cgroupfs', '/kubepods') },
    // The step that ends the Pod is under way when the runtime is asked the next time.
    releasePod: () => void (answers.areHeld = true),
    weighClasses: async () => {},
    volumes: { release: async () => {} },
    claims: { release: async () => {}, holds: () => false },
    cgroups: { remove: async () => true },
  } as unknown as PodServices;
  const worker = createPodWorker(pod, {
    services,
    client: createClient(transport),
    recorder: { event: () => {} },
    onRemoved: () => {},
  });
  const answer = () => {
    answers.areHeld = false;
    for (const resolve of asked.splice(0)) resolve();
  };
  return { clock, worker, phases, answer };
}

describe('a Pod whose node goes down', () => {
  it('has its status written when it is said to be, however slow the runtime is', async () => {
    const { clock, worker, phases, answer } = slowNode();
    worker.end({ reason: 'Terminated', message: 'the machine goes down', graceSeconds: 1 });
    await clock.advance(0);
    assert.equal(worker.state(), 'terminated');
    let isWritten = false;
    const written = worker.statusWritten().then(() => {
      isWritten = true;
    });
    await clock.advance(5000);
    assert.equal(isWritten, false);
    answer();
    await written;
    assert.ok(phases.includes('Failed'), phases.join());
    await worker.stop();
  });

  it('is waited for no longer than its agent goes on', async () => {
    const { clock, worker, answer } = slowNode();
    worker.end({ reason: 'Terminated', message: 'the machine goes down', graceSeconds: 1 });
    await clock.advance(0);
    const written = worker.statusWritten();
    const stopped = worker.stop();
    await written;
    answer();
    await stopped;
  });
});
