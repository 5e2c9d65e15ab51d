import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { LargeTask } from '../../apiserver/registry/large-objects/large-work.ts';
import { createLargeWorkPool } from './large-work-pool.ts';

const by = (name: string, signal = new AbortController().signal) => ({ user: { name }, signal });
const never = by('a');
const task = (body: string): LargeTask => ({
  kind: 'read',
  resource: { group: '', version: 'v1', plural: 'configmaps' },
  body: Buffer.from(body),
  contentType: 'application/json',
  fieldValidation: 'Ignore',
  nowMs: 0,
});
const code = (expected: number) => (error: unknown) => error instanceof StatusError && error.status.code === expected;

describe('worker threads for large objects', function () {
  this.timeout(60_000);

  it('give back what a task has made, and the Status that it has thrown', async () => {
    const pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1 });
    const { object } = await pool.run(task('{"metadata":{"name":"a"}}'), never);
    assert.equal(JSON.parse(Buffer.from(object).toString()).metadata.name, 'a');
    await assert.rejects(pool.run(task('{'), never), code(400));
    await pool.close();
    await assert.rejects(pool.run(task('{}'), never), code(500));
  });

  it('refuse more than may wait, and forget those whose client has gone', async () => {
    const pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1, maxWaiting: 1 });
    const gone = new AbortController();
    const first = pool.run(task('{}'), never);
    const second = pool.run(task('{}'), by('a', gone.signal));
    await assert.rejects(pool.run(task('{}'), never), code(429));
    gone.abort(new Error('gone'));
    // At once, while the task before it goes on, so that others have its place.
    await assert.rejects(second, /gone/);
    await pool.run(task('{}'), never);
    await first;
    await assert.rejects(pool.run(task('{}'), by('a', gone.signal)), /gone/);
    await pool.close();
  });

  it('let users take turns, and no user wait with more than his share', async () => {
    const pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1, maxWaitingOfUser: 3 });
    const ended: string[] = [];
    const run = (name: string) => pool.run(task('{}'), by(name)).then(() => void ended.push(name));
    const all = ['many', 'many', 'many', 'many', 'few', 'few'].map(run);
    await assert.rejects(run('many'), code(429));
    await Promise.all([...all, run('other')]);
    assert.deepEqual(ended, ['many', 'many', 'few', 'other', 'many', 'few', 'many']);
    await pool.close();
  });

  it('leave one thread to others, however slow the objects of one user are', async () => {
    const clock = createManualClock();
    const pool = createLargeWorkPool({ clock, logger: silentLogger, threads: 2, maxTaskMs: 1000 });
    // Both threads have started: a slow task would else be done before the second one has.
    await Promise.all([pool.run(task('{}'), by('one')), pool.run(task('{}'), by('another'))]);
    const slow = task(`{"data":{${'"a":"b",'.repeat(300_000)}"c":"d"}}`);
    const refused = [by('many'), by('many'), by('many')].map((asker) =>
      pool.run(slow, asker).then(
        () => 'done',
        () => 'given up',
      ),
    );
    await pool.run(task('{}'), by('other'));
    await Promise.all([pool.close(), ...refused]);
    assert.deepEqual(await Promise.all(refused), ['given up', 'given up', 'given up']);
  });

  it('give a task its whole time when the thread takes long to start', async () => {
    const clock = createManualClock();
    const pool = createLargeWorkPool({ clock, logger: silentLogger, threads: 1, maxTaskMs: 1000 });
    const first = pool.run(task('{"metadata":{"name":"a"}}'), never);
    await clock.advance(10_000);
    assert.equal((await first).warnings.length, 0);
    await pool.close();
  });

  it('give up a task that takes too long, with its thread, and go on with another', async () => {
    const clock = createManualClock();
    const pool = createLargeWorkPool({ clock, logger: silentLogger, threads: 1, maxTaskMs: 1000 });
    await pool.run(task('{}'), never);
    const slow = pool.run(task(`{"data":{${'"a":"b",'.repeat(300_000)}"c":"d"}}`), never);
    const refused = assert.rejects(slow, code(504));
    await clock.advance(1000);
    await refused;
    await pool.run(task('{}'), never);
    await pool.close();
  });
});
