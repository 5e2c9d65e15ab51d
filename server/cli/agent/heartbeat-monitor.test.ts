import assert from 'node:assert/strict';
import { createHeartbeatMonitor } from './heartbeat-monitor.ts';

describe('heartbeats', () => {
  const ticksUntilHung = (monitor: ReturnType<typeof createHeartbeatMonitor>) => {
    let ticks = 1;
    while (!monitor.tick()) ticks++;
    return ticks;
  };

  it('may be missing for a while', () => {
    const monitor = createHeartbeatMonitor({ silentTicks: 3, startTicks: 10 });
    monitor.heard();
    assert.equal(monitor.tick(), false);
    assert.equal(monitor.tick(), false);
    monitor.heard();
    assert.equal(ticksUntilHung(monitor), 3);
  });

  it('may take longer to begin', () => {
    assert.equal(ticksUntilHung(createHeartbeatMonitor({ silentTicks: 3, startTicks: 10 })), 10);
  });
});
