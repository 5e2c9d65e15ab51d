import assert from 'node:assert/strict';
import { sleep } from '../../../api/base/clock.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { concernsPodRoutes, createRouteWatch } from './route-watch.ts';

describe('lines of ip monitor route', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['Deleted 10.244.1.0/24 via 10.200.0.2 dev eth0 proto 107 ', true],
    ['Deleted fd00:2::/64 via fd00:1::2 dev eth0 proto 107 metric 1024 pref medium', true],
    ['10.244.1.0/24 via 10.200.0.2 dev eth0 proto 107 ', false],
    ['Deleted 10.1.0.0/16 via 10.200.0.2 dev eth0 proto static ', false],
    ['10.200.0.0/24 dev eth0 proto kernel scope link src 10.200.0.1 ', true],
    ['fd00:1::/64 dev eth0 proto kernel metric 256 pref medium', true],
    ['Deleted 10.200.0.0/24 dev eth0 proto kernel scope link src 10.200.0.1 ', false],
    ['local 10.200.0.1 dev eth0 table local proto kernel scope host src 10.200.0.1 ', false],
    ['fe80::/64 dev vethabc proto kernel metric 256 pref medium', false],
    ['multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium', false],
    ['10.1.2.0/24 dev veth12 proto kernel scope link src 10.1.2.3', false],
    ['Deleted local 10.244.0.0 dev kubets.vxlan table local proto kernel scope host src 10.244.0.0 ', true],
    ['default via 10.200.0.9 dev eth0 proto dhcp metric 100', false],
    ['', false],
  ];
  for (const [line, expected] of cases) it(`${expected}: ${line}`, () => assert.equal(concernsPodRoutes(line), expected));
});

describe('a watch over routes', () => {
  it('wakes after a moment, and not for each of many lines', async () => {
    const clock = createManualClock();
    const abort = new AbortController();
    let wakes = 0;
    const watch = createRouteWatch({
      clock,
      async follow({ onLine }, signal) {
        for (let seconds = 0; seconds < 10; seconds++) {
          for (let lines = 0; lines < 1000; lines++) onLine('Deleted 10.244.1.0/24 via 10.200.0.2 dev eth0 proto 107');
          await sleep(clock, 1000, signal);
        }
        await sleep(clock, 60_000, signal).catch(() => undefined);
      },
    });
    const stop = watch.onChange(() => wakes++);
    const running = watch.run(abort.signal);
    await clock.advance(299);
    assert.equal(wakes, 0);
    await clock.advance(1);
    assert.equal(wakes, 1);
    await clock.advance(20_000);
    assert.ok(wakes >= 4 && wakes <= 6, String(wakes));
    stop();
    abort.abort();
    await running;
  });
});
