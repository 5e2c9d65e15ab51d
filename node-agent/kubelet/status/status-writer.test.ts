import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { createClient } from '../../../api/client/create-client.ts';
import type { APIRequest, APIResponse, Transport } from '../../../api/client/transport.ts';
import type { Pod, PodStatus } from '../../../api/types/core-v1.ts';
import { createStatusWriter } from './status-writer.ts';

const pod: Pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1' },
  spec: { containers: [] },
  status: { phase: 'Pending' },
};

describe('status writer', () => {
  it('writes a status that came while an older one was being written', async () => {
    const bodies: { status: { phase?: string; message?: string } }[] = [];
    const waiting: (() => void)[] = [];
    const transport: Transport = (request: APIRequest) =>
      new Promise<APIResponse>((resolve) => {
        bodies.push(JSON.parse(new TextDecoder().decode(request.body)) as (typeof bodies)[number]);
        const answer = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(bodies.length + 1) } };
        const bytes = new TextEncoder().encode(JSON.stringify(answer));
        waiting.push(() => resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } }));
      });
    const writer = createStatusWriter(pod, { client: createClient(transport), clock: createManualClock(), logger: silentLogger });
    writer.set({ phase: 'Running' });
    writer.set({ phase: 'Running', message: 'ready' });
    const written = writer.written();
    while (waiting.length === 0) await Promise.resolve();
    waiting.shift()?.();
    for (let turn = 0; turn < 100 && waiting.length === 0; turn++) await Promise.resolve();
    waiting.shift()?.();
    await written;
    assert.deepEqual(
      bodies.map(({ status }) => status.message),
      [undefined, 'ready'],
    );
  });

  it('tells at once that a Pod has come and that it runs, and of the way between only what lasts', async () => {
    const phases: unknown[] = [];
    const transport: Transport = async (request: APIRequest) => {
      const { status } = JSON.parse(new TextDecoder().decode(request.body)) as { status: { phase?: string; podIP?: string } };
      phases.push(status.podIP ?? status.phase ?? 'start');
      const answer = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(phases.length + 1) } };
      const bytes = new TextEncoder().encode(JSON.stringify(answer));
      return { status: 200, headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } };
    };
    const clock = createManualClock();
    const writer = createStatusWriter(pod, { client: createClient(transport), clock, logger: silentLogger });
    const startTime = '2026-01-01T00:00:00Z';
    const set = async (status: PodStatus, forMs: number) => {
      writer.set({ startTime, ...status });
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      await clock.advance(forMs);
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    };
    await set({ phase: 'Pending' }, 0);
    assert.deepEqual(phases, ['start']);
    await set({ phase: 'Pending', podIP: '10.0.0.1' }, 200);
    await set({ phase: 'Pending', podIP: '10.0.0.2' }, 50);
    assert.deepEqual(phases, ['start']);
    await set({ phase: 'Pending', podIP: '10.0.0.2' }, 50);
    assert.deepEqual(phases, ['start', '10.0.0.2']);
    await set({ phase: 'Pending', podIP: '10.0.0.3' }, 0);
    await set({ phase: 'Running', podIP: '10.0.0.3' }, 0);
    assert.deepEqual(phases, ['start', '10.0.0.2', '10.0.0.3']);
    await clock.advance(1000);
    assert.equal(phases.length, 3);
  });
});
