import assert from 'node:assert/strict';
import { silentLogger } from '../../base/logger.ts';
import { createManualClock } from '../../base/testing/manual-clock.ts';
import { pods } from '../../resources/core/v1/pod.ts';
import { createClient } from '../create-client.ts';
import { createEventRecorder, referenceTo } from './event-recorder.ts';
import { ObjectServer } from '../testing/object-server.ts';

const pod = { metadata: { namespace: 'default', name: 'web', uid: 'u1', resourceVersion: '3' } };

function recorder() {
  const server = new ObjectServer();
  const clock = createManualClock();
  const events = createEventRecorder({
    client: createClient(server.transport),
    clock,
    logger: silentLogger,
    component: 'kubelet',
    host: 'n1',
  });
  const written = () => server.objectsUnder('/api/v1/namespaces/default/events/');
  return { server, clock, events, written };
}

describe('EventRecorder', () => {
  it('writes an event, and counts it when it comes again', async () => {
    const { clock, events, written } = recorder();
    const reference = referenceTo(pods, pod, 'spec.containers{web}');
    events.event(reference, 'Normal', 'Pulled', 'Container image already present on machine');
    await clock.advance(2000);
    events.event(reference, 'Normal', 'Pulled', 'Container image already present on machine');
    await clock.advance(0);
    const [event, ...others] = written();
    assert.deepEqual(others, []);
    assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
    assert.equal(event?.['count'], 2);
    assert.equal(event['firstTimestamp'], '2023-11-14T22:13:20Z');
    assert.equal(event['lastTimestamp'], '2023-11-14T22:13:22Z');
    assert.deepEqual(event['source'], { component: 'kubelet', host: 'n1' });
    assert.deepEqual(event['involvedObject'], {
      kind: 'Pod',
      namespace: 'default',
      name: 'web',
      uid: 'u1',
      apiVersion: 'v1',
      resourceVersion: '3',
      fieldPath: 'spec.containers{web}',
    });
  });

  it('combines many that differ in their message only', async () => {
    const { clock, events, written } = recorder();
    for (let n = 1; n <= 12; n++) events.event(referenceTo(pods, pod), 'Warning', 'Failed', `attempt ${n}`);
    await clock.advance(0);
    assert.equal(written().length, 10);
    const combined = written().filter((event) => String(event['message']).startsWith('(combined from similar events): '));
    assert.deepEqual(
      combined.map((event) => [event['message'], event['count']]),
      [['(combined from similar events): attempt 12', 3]],
    );
  });

  it('limits what one source says about one object', async () => {
    const { clock, events, written } = recorder();
    for (let n = 1; n <= 40; n++) events.event(referenceTo(pods, pod), 'Normal', `Reason${n}`, 'x');
    await clock.advance(0);
    assert.equal(written().length, 25);
    await clock.advance(300_000);
    events.event(referenceTo(pods, pod), 'Normal', 'Later', 'x');
    await clock.advance(0);
    assert.equal(written().length, 26);
  });

  it('tries again when the server could not be reached', async () => {
    const { server, clock, events, written } = recorder();
    server.onRequest = () => {
      throw new Error('ECONNREFUSED');
    };
    events.event(referenceTo(pods, pod), 'Normal', 'Killing', 'x');
    await clock.advance(5000);
    server.onRequest = () => {};
    assert.equal(written().length, 0);
    await clock.advance(5000);
    assert.equal(written().length, 1);
  });
});
