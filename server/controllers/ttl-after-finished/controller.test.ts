import assert from 'node:assert/strict';
import { formatTime } from '../../../api/meta/time.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import type { Job } from '../../../api/types/batch-v1.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { ttlAfterFinished } from './controller.ts';

describe('ttl-after-finished', () => {
  it('deletes a Job when its time is up, and not before', async () => {
    const { client, clock, finish } = startManualPlane([ttlAfterFinished]);
    try {
      const job = (name: string, ttl: number | undefined, isFinished: boolean): Job => ({
        metadata: { namespace: 'default', name },
        spec: { template: {}, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) },
        status: isFinished ? { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: formatTime(clock.nowMs()) }] } : {},
      });
      await client(jobs).create(job('soon', 60, true));
      await client(jobs).create(job('later', 600, true));
      await client(jobs).create(job('running', 60, false));
      await client(jobs).create(job('kept', undefined, true));
      const names = async () => (await client(jobs).list()).items.map(({ metadata }) => metadata.name).sort();
      await clock.advance(59_000);
      assert.deepEqual(await names(), ['kept', 'later', 'running', 'soon']);
      await clock.advance(2000);
      assert.deepEqual(await names(), ['kept', 'later', 'running']);
      await client(jobs).patch(
        { namespace: 'default', name: 'later' },
        { type: 'merge', body: { spec: { ttlSecondsAfterFinished: 6000 } } },
      );
      await clock.advance(600_000);
      assert.deepEqual(await names(), ['kept', 'later', 'running']);
    } finally {
      await finish();
    }
  });
});
