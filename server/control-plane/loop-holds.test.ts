import assert from 'node:assert/strict';
import { type Logger, silentLogger } from '../../api/base/logger.ts';
import { watchLoop } from '../../api/base/loop-watch.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { createAPICaller } from '../apiserver/testing/api-caller.ts';
import { startAPIServerInProcess } from '../apiserver/testing/start-api-server.ts';
import { createLoopHolds } from './loop-holds.ts';

const recording = () => {
  const lines: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (message, fields) => lines.push({ message, ...fields }) };
  return { lines, logger };
};

describe('holds of the event loop', () => {
  it('are logged one in ten seconds, where they are long', async () => {
    const clock = createManualClock();
    const { lines, logger } = recording();
    const holds = createLoopHolds(clock, logger);
    const hold = (ms: number, work: string) => holds.record({ ms, kind: 'request', work });
    hold(99, 'a');
    hold(150.4, 'b');
    hold(200, 'c');
    hold(300, 'd');
    await clock.advance(10_000);
    hold(101, 'e');
    const message = 'the event loop was held';
    assert.deepEqual(lines, [
      { message, ms: 150, kind: 'request', work: 'b' },
      { message, ms: 101, kind: 'request', work: 'e', more: 2 },
    ]);
  });

  it('are told with the request that had begun, and counted', async function () {
    this.timeout(60_000);
    const holds = createLoopHolds(systemClock, silentLogger);
    const told: string[] = [];
    const loop = watchLoop({
      clock: systemClock,
      onHold(hold) {
        told.push(hold.work);
        holds.record(hold);
      },
    });
    const server = await startAPIServerInProcess({ overrides: { loop } });
    holds.countIn(server.metrics);
    const caller = createAPICaller(server.transport);
    const data = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 'v']));
    const { status } = await caller.call('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', {
      body: { metadata: { name: 'a' }, data },
      headers: { 'user-agent': 'somebody/1' },
    });
    assert.equal(status, 201);
    while (!told.includes('create configmaps (somebody/1)')) await new Promise((resolve) => setTimeout(resolve, 5));
    const { text } = await caller.get('/metrics');
    loop.stop();
    await server.close();
    assert.ok(told.includes('create configmaps (somebody/1)'), told.join('; '));
    assert.match(text, /^kubets_event_loop_hold_seconds_count\{kind="request"\} [1-9]/m);
  });
});
