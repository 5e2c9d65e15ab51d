import assert from 'node:assert/strict';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { podGarbageCollector } from './controller.ts';

describe('pod garbage collector', () => {
  it('removes Pods of nodes that stay away', async () => {
    const { client, clock, finish } = startManualPlane([podGarbageCollector]);
    try {
      for (const name of ['stays', 'goes']) await client(nodes).create({ metadata: { name } });
      for (const nodeName of ['stays', 'goes']) {
        const spec = { nodeName, containers: [] };
        await client(pods).create({
          metadata: { namespace: 'default', name: `on-${nodeName}`, finalizers: ['x'] },
          spec,
          status: { phase: 'Running' },
        });
      }
      await clock.advance(100_000);
      await client(nodes).delete({ namespace: '', name: 'goes' });
      await clock.advance(39_000);
      const key = { namespace: 'default', name: 'on-goes' };
      assert.equal((await client(pods).get(key)).metadata.deletionTimestamp, undefined);
      await clock.advance(2000);
      const { metadata, status } = await client(pods).get(key);
      assert.ok(metadata.deletionTimestamp);
      assert.equal(status?.phase, 'Failed');
      assert.deepEqual(
        status?.conditions?.map(({ type, reason }) => [type, reason]),
        [['DisruptionTarget', 'DeletionByPodGC']],
      );
      assert.equal((await client(pods).get({ namespace: 'default', name: 'on-stays' })).metadata.deletionTimestamp, undefined);
    } finally {
      await finish();
    }
  });

  it('removes deleted Pods that never got to a node', async () => {
    const { client, clock, finish } = startManualPlane([podGarbageCollector]);
    try {
      const metadata = { namespace: 'default', name: 'lost', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] };
      await client(pods).create({ metadata, spec: { containers: [] }, status: { phase: 'Pending' } });
      await clock.advance(1000);
      assert.equal((await client(pods).get({ namespace: 'default', name: 'lost' })).status?.phase, 'Failed');
    } finally {
      await finish();
    }
  });
});
