import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { notFound, serviceUnavailable, unexpectedError } from '../../../api/meta/status-errors.ts';
import { retryTransient } from './retry-transient.ts';

describe('retryTransient', () => {
  const after = async (failures: readonly Error[]) => {
    const clock = createManualClock();
    const left = [...failures];
    let attempts = 0;
    const outcome = retryTransient(clock, async () => {
      attempts++;
      const failure = left.shift();
      if (failure) throw failure;
    }).then(
      () => 'done',
      (error: Error) => error.message,
    );
    await clock.advance(60_000);
    return [await outcome, attempts];
  };
  it('tries again while the store is not reached', async () => {
    assert.deepEqual(await after([unexpectedError('etcd: refused'), serviceUnavailable('overloaded')]), ['done', 3]);
  });
  it('gives up at once where trying again does not help', async () => {
    const error = notFound({ group: '', resource: 'pods' }, 'a');
    assert.deepEqual(await after([error]), [error.message, 1]);
  });
  it('gives up after half a minute', async () => {
    const [message, attempts] = await after(Array.from({ length: 100 }, () => unexpectedError('etcd: refused')));
    assert.equal(message, 'etcd: refused');
    assert.ok(Number(attempts) > 30 && Number(attempts) < 50, String(attempts));
  });
});
