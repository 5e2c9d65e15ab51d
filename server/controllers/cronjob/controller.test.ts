import assert from 'node:assert/strict';
import { formatTime } from '../../../api/meta/time.ts';
import { cronJobs } from '../../../api/resources/batch/v1/cron-job.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { cronJobController } from './controller.ts';

const cases: readonly [schedule: string, jobs: number, said: string[]][] = [
  ['59 23 31 2 *', 0, ['tick InvalidSchedule']],
  ['* * * * *', 2, ['tick SuccessfulCreate', 'tick SuccessfulCreate']],
];

describe('cronjob-controller', () => {
  for (const [schedule, count, expected] of cases)
    it(`with the schedule ${schedule} creates ${count} Jobs in two minutes and tells ${expected[0]}`, async () => {
      const { client, clock, said, finish } = startManualPlane([cronJobController]);
      try {
        await client(cronJobs).create({
          metadata: { namespace: 'default', name: 'tick', creationTimestamp: formatTime(clock.nowMs()) },
          spec: { schedule, jobTemplate: { spec: { template: {} } } },
        });
        await clock.advance(121_000);
        assert.equal((await client(jobs).list()).items.length, count);
        assert.deepEqual(said, expected);
      } finally {
        await finish();
      }
    });
});
