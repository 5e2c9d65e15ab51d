import assert from 'node:assert/strict';
import { sleep } from '../../../api/base/clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { createPod, waitForPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

/** How long the Pod is watched not becoming ready: several periods of its probe. */
const observedSeconds = 15;

export default conformanceTest({
  name: '[sig-node] Probing container with readiness probe that fails should never be ready and never restart [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'A container whose readiness probe fails MUST NOT become ready and MUST NOT be restarted.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    const readinessProbe = { exec: { command: ['/bin/false'] }, periodSeconds: 2 };
    const container = { name: 'test', image: testImages.busybox, command: ['sleep', '3600'], readinessProbe };
    await createPod(context, { name: 'test-webserver', spec: { containers: [container] } });
    await waitForPod(context, 'test-webserver', 'running', ({ status }) => status?.phase === 'Running');
    // That something does not happen can only be seen by waiting.
    await sleep(systemClock, observedSeconds * 1000, context.signal);
    const pod = await client(pods).get({ namespace, name: 'test-webserver' });
    assert.equal(isPodReady(pod), false);
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
  },
});
