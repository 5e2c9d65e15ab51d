import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { planStop, untilSignalled } from './stop-signals.ts';

describe('a stop', () => {
  const foreground = { leavePodsRunning: false, stopGracePeriod: 6000 };
  const service = { leavePodsRunning: true, stopGracePeriod: 6000 };
  const none = { pods: false, graceSeconds: 0, criticalGraceSeconds: 0 };
  for (const [name, circumstances, order] of [
    ['in the foreground', { flags: foreground }, { pods: true, graceSeconds: 6, criticalGraceSeconds: 2 }],
    ['of a service', { flags: service }, none],
    [
      'of a service with the machine',
      { flags: service, isMachineStopping: true },
      { pods: true, graceSeconds: 30, criticalGraceSeconds: 10 },
    ],
    [
      'with Pods, as asked',
      { flags: service, request: { pods: true, graceSeconds: 90 } },
      { pods: true, graceSeconds: 90, criticalGraceSeconds: 30 },
    ],
    ['without Pods, as asked', { flags: foreground, request: { pods: false, graceSeconds: 90 } }, none],
  ] as const)
    it(`goes as it should: ${name}`, () =>
      assert.deepEqual(planStop({ request: undefined, isMachineStopping: false, ...circumstances }), order));

  function signals() {
    const source = new EventEmitter();
    let nowMs = 0;
    let impatience = 0;
    const first = untilSignalled(
      source,
      () => nowMs,
      () => impatience++,
    );
    return {
      first,
      at: (ms: number, signal: string) => {
        nowMs = ms;
        source.emit(signal);
        return impatience;
      },
    };
  }

  it('begins with any of the signals, the end of the terminal among them', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      const { first, at } = signals();
      at(0, signal);
      assert.equal(await first, signal);
    }
  });

  it('is not cut short by the same signal on another way', () => {
    const { at } = signals();
    assert.equal(at(0, 'SIGINT'), 0);
    assert.equal(at(5, 'SIGINT'), 0);
    assert.equal(at(900, 'SIGTERM'), 0);
    assert.equal(at(5000, 'SIGHUP'), 0);
    assert.equal(at(5000, 'SIGINT'), 1);
  });
});
