import { conformanceTest } from '../../framework/conformance-test.ts';
import { createPod, waitForPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'A container whose exec liveness probe fails MUST be restarted.',
  needsNode: true,
  async run(context) {
    const livenessProbe = { exec: { command: ['cat', '/tmp/health'] }, initialDelaySeconds: 2, periodSeconds: 1, failureThreshold: 1 };
    const command = ['/bin/sh', '-c', 'echo ok >/tmp/health; sleep 5; rm -rf /tmp/health; sleep 600'];
    const container = { name: 'busybox', image: testImages.busybox, command, livenessProbe };
    await createPod(context, { name: 'liveness-exec', spec: { containers: [container] } });
    await waitForPod(
      context,
      'liveness-exec',
      'restarted',
      ({ status }) =>
        (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1 && status?.containerStatuses?.[0]?.state?.running !== undefined,
    );
  },
});
