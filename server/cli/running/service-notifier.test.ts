import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createServiceNotifier, watchdogIntervalMs } from './service-notifier.ts';
import { withoutServiceVariables } from '../agent/service-variables.ts';

describe('notes to the service manager', () => {
  const collect = (variables: Readonly<Record<string, string>>) => {
    const sent: string[] = [];
    const notifier = createServiceNotifier(variables, 7, async (assignments) => void sent.push(assignments.join(' ')));
    return { notifier, sent };
  };

  it('are none where nobody asked for them', () => {
    const { notifier, sent } = collect({});
    notifier.ready('x');
    notifier.stopping('x');
    assert.deepEqual(sent, []);
  });

  it('tell of the start, of the state and of the end', () => {
    const { notifier, sent } = collect({ NOTIFY_SOCKET: '/run/n' });
    notifier.ready('on\nport');
    notifier.status('s');
    notifier.stopping('bye');
    assert.deepEqual(sent, ['READY=1 STATUS=on port', 'STATUS=s', 'STOPPING=1 EXTEND_TIMEOUT_USEC=30000000 STATUS=bye']);
  });

  it('feed the watchdog from the event loop', async () => {
    const { sent } = collect({ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '60000', WATCHDOG_PID: '7' });
    const endMs = performance.now() + 200;
    while (performance.now() < endMs); // nothing else runs
    assert.deepEqual(sent, []);
    while (sent.length < 2) await delay(5);
    assert.deepEqual(new Set(sent), new Set(['WATCHDOG=1']));
  });

  for (const [name, variables, intervalMs] of [
    ['of this process', { WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' }, 40_000],
    ['of whoever reads it', { WATCHDOG_USEC: '3000000' }, 1000],
    ['of another process', { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, undefined],
    ['that is none', {}, undefined],
    ['that is nonsense', { WATCHDOG_USEC: 'x' }, undefined],
  ] as const)
    it(`are for the watchdog ${name}`, () => assert.equal(watchdogIntervalMs(variables, 7), intervalMs));

  it('are not for programs that are started', () => {
    const environment = { PATH: '/bin', NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1', WATCHDOG_PID: '7', JOURNAL_STREAM: '8:1' };
    assert.deepEqual(withoutServiceVariables(environment), { PATH: '/bin', JOURNAL_STREAM: '8:1' });
  });
});
