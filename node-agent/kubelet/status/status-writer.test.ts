import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/manual-clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { createClient } from '../../../api/client/create-client.ts';
import type { APIRequest, APIResponse, Transport } from '../../../api/client/transport.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
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
});
