import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { LoginManager } from '../../linux/machine/login-manager.ts';
import { followMachineShutdown } from './follow-machine-shutdown.ts';
import { periodsOf } from './shutdown-periods.ts';

/** A login manager in memory, and a node that takes ten seconds to end its Pods. */
function machine(options: { readonly isPresent?: boolean; readonly isPreparing?: boolean; readonly maxDelaySeconds?: number } = {}) {
  const clock = createManualClock();
  const said: string[] = [];
  let maxDelaySeconds = options.maxDelaySeconds ?? 5;
  let announce: (isStarting: boolean) => void = () => {};
  let breakWatch: (error: Error) => void = () => {};
  let locks = 0;
  const login: LoginManager = {
    isPresent: async () => options.isPresent ?? true,
    maxDelaySeconds: async () => maxDelaySeconds,
    async raiseMaxDelay(seconds) {
      said.push(`delay ${seconds}`);
      maxDelaySeconds = seconds;
    },
    isPreparing: async () => options.isPreparing ?? false,
    async lock() {
      locks++;
      said.push('locked');
      return {
        release() {
          locks--;
          said.push('released');
        },
      };
    },
    watch: (onPrepare, signal) =>
      new Promise((resolve, reject) => {
        announce = onPrepare;
        breakWatch = reject;
        signal.addEventListener('abort', () => resolve());
      }),
  };
  const shutdown = {
    shutDown: () =>
      new Promise<void>((resolve) => {
        said.push(`ending with ${locks} lock`);
        clock.setTimer(10_000, () => {
          said.push('ended');
          resolve();
        });
      }),
    cancel: () => void said.push('cancelled'),
  };
  const abort = new AbortController();
  const following = followMachineShutdown(
    { login, shutdown, periods: periodsOf(30, 10), clock, random: systemRandom, logger: silentLogger },
    abort.signal,
  );
  return {
    ...{ clock, said, following },
    locks: () => locks,
    announce: (isStarting: boolean) => announce(isStarting),
    breakWatch: () => breakWatch(new Error('the bus has gone')),
    async stop() {
      abort.abort();
      await clock.advance(20_000);
      await following;
    },
  };
}

describe('shutdown of the machine', () => {
  it('is delayed until the Pods have ended', async () => {
    const { clock, said, announce, stop, locks } = machine();
    await clock.advance(0);
    assert.deepEqual(said, ['delay 35', 'locked']);
    announce(true);
    await clock.advance(9000);
    assert.equal(locks(), 1);
    await clock.advance(1000);
    assert.deepEqual(said.slice(2), ['ending with 1 lock', 'ended', 'released']);
    await stop();
    assert.equal(locks(), 0);
  });

  it('leaves a delay alone that is long enough', async () => {
    const { clock, said, stop } = machine({ maxDelaySeconds: 60 });
    await clock.advance(0);
    assert.deepEqual(said, ['locked']);
    await stop();
  });

  it('is delayed again after it was called off', async () => {
    const { clock, said, announce, stop } = machine({ maxDelaySeconds: 60 });
    await clock.advance(0);
    announce(true);
    announce(false);
    await clock.advance(10_000);
    assert.deepEqual(said, ['locked', 'ending with 1 lock', 'ended', 'released', 'cancelled', 'locked']);
    announce(true);
    await clock.advance(10_000);
    assert.deepEqual(said.slice(6), ['ending with 1 lock', 'ended', 'released']);
    await stop();
  });

  it('is noticed though it began before anybody listened', async () => {
    const { clock, said, stop } = machine({ maxDelaySeconds: 60, isPreparing: true });
    await clock.advance(10_000);
    assert.deepEqual(said, ['locked', 'ending with 1 lock', 'ended', 'released']);
    await stop();
  });

  it('is followed again after the bus has failed, with one lock', async () => {
    const { clock, said, announce, breakWatch, locks, stop } = machine({ maxDelaySeconds: 60 });
    await clock.advance(0);
    breakWatch();
    await clock.advance(5000);
    assert.equal(locks(), 1);
    announce(true);
    await clock.advance(10_000);
    assert.deepEqual(said, ['locked', 'released', 'locked', 'ending with 1 lock', 'ended', 'released']);
    await stop();
  });

  it('is not followed where nobody announces it', async () => {
    const { clock, said, following } = machine({ isPresent: false });
    await clock.advance(0);
    await following;
    assert.deepEqual(said, []);
  });
});
