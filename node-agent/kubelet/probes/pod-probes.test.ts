import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import type { RuntimePod } from '../runtime/runtime-pod.ts';
import { createPodProbes } from './pod-probes.ts';

/** One running container with probes; `answers` are given out per kind of probe by its port number. */
function setUp(container: Partial<Container>, status: Pod['status'] = {}) {
  const clock = createManualClock(1_000_000);
  const answers = { ok: true, warns: false };
  const asked: number[] = [];
  const events: string[] = [];
  let changes = 0;
  const probes = createPodProbes({
    clock,
    ask: async ({ probe }) => {
      asked.push(clock.nowMs() - 1_000_000);
      return { ok: answers.ok, warns: answers.warns, output: `port ${probe.tcpSocket?.port}` };
    },
    eventsOf: () => ({ event: (_type, reason, message) => void events.push(`${reason}: ${message}`) }),
    onChange: () => void changes++,
  });
  const pod: Pod = { metadata: { name: 'p', uid: 'u' }, spec: { containers: [{ name: 'c', ...container }] }, status };
  const instance = { id: 'i', metadata: { name: 'c', attempt: 0 }, state: 'CONTAINER_RUNNING', started_at: '1000000000000' };
  const runtimePod = { uid: 'u', runtimeName: 'containerd', sandboxes: [], containers: [instance] } as unknown as RuntimePod;
  probes.observe(pod, runtimePod, '10.0.0.1');
  return { clock, answers, asked, events, probes, changes: () => changes };
}

const probe = (port: number, more = {}) => ({ tcpSocket: { port }, ...more });

describe('probes', () => {
  it('readiness begins as failure and follows thresholds', async () => {
    const { clock, answers, probes, events } = setUp({
      readinessProbe: probe(1, { periodSeconds: 2, successThreshold: 2, failureThreshold: 2, initialDelaySeconds: 3 }),
    });
    const verdicts: unknown[] = [];
    for (let second = 0; second <= 13; second++) {
      if (second === 7) answers.ok = false;
      verdicts.push(probes.verdict('readiness', 'i') === 'success');
      await clock.advance(1000);
    }
    // asked at 3, 5, 7, 9 (fails), 11 ...
    assert.deepEqual(verdicts.map(Number).join(''), '00000111111000');
    assert.equal(events[0], 'Unhealthy: Readiness probe failed: port 1');
    probes.stop();
    assert.equal(clock.pendingTimers(), 0);
  });

  it('tell in an event what a probe that succeeds warns of', async () => {
    const { clock, answers, probes, events } = setUp({ livenessProbe: probe(1, { periodSeconds: 1 }) });
    answers.warns = true;
    await clock.advance(500);
    assert.deepEqual(events, ['ProbeWarning: Liveness probe warning: port 1']);
    assert.notEqual(probes.verdict('liveness', 'i'), 'failure');
    probes.stop();
  });

  it('liveness waits for startup, and fails once for all', async () => {
    const { clock, answers, probes, asked, changes } = setUp({
      startupProbe: probe(1, { periodSeconds: 1, failureThreshold: 30 }),
      livenessProbe: probe(2, { periodSeconds: 1 }),
    });
    answers.ok = false;
    await clock.advance(5500);
    assert.equal(probes.verdict('startup', 'i'), undefined);
    answers.ok = true;
    await clock.advance(2000);
    assert.equal(probes.verdict('startup', 'i'), 'success');
    answers.ok = false;
    await clock.advance(5000);
    assert.equal(probes.verdict('liveness', 'i'), 'failure');
    const count = asked.length;
    await clock.advance(60_000);
    assert.deepEqual([asked.length, changes()], [count, 3]);
    probes.stop();
  });

  it('startup gives up after its threshold', async () => {
    const { clock, answers, probes } = setUp({ startupProbe: probe(1, { periodSeconds: 1, failureThreshold: 3 }) });
    answers.ok = false;
    await clock.advance(2500);
    assert.equal(probes.verdict('startup', 'i'), 'failure');
  });

  it('keeps what was known of the container before the agent restarted', () => {
    const recorded = { name: 'c', containerID: 'containerd://i', ready: true, started: true, image: '', imageID: '', restartCount: 0 };
    const { probes } = setUp({ startupProbe: probe(1), readinessProbe: probe(2) }, { containerStatuses: [recorded] });
    assert.deepEqual([probes.verdict('startup', 'i'), probes.verdict('readiness', 'i')], ['success', 'success']);
    probes.stop();
  });

  it('asks only for readiness while the Pod stops', async () => {
    const { clock, probes, asked } = setUp({ livenessProbe: probe(1, { periodSeconds: 1 }) });
    probes.onlyReadiness();
    await clock.advance(5000);
    assert.deepEqual(asked, []);
  });
});
