import { conformanceTest } from '../../framework/conformance-test.ts';
import { createPod, waitForPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] Probing container should be restarted by a failed liveness probe though it ends with code 0 and restartPolicy is OnFailure [Conformance]',
  release: 'v1.32',
  behavior: 'A container that the kubelet kills because of a failed liveness probe MUST be restarted whatever its exit code.',
  needsNode: true,
  async run(context) {
    const livenessProbe = { exec: { command: ['cat', '/tmp/health'] }, initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1 };
    const command = ['/bin/sh', '-c', 'trap "exit 0" TERM; sleep 600 & wait'];
    const container = { name: 'busybox', image: testImages.busybox, command, livenessProbe };
    await createPod(context, { name: 'liveness-on-failure', spec: { restartPolicy: 'OnFailure', containers: [container] } });
    await waitForPod(context, 'liveness-on-failure', 'restarted', ({ status }) => {
      const [found] = status?.containerStatuses ?? [];
      if (status?.phase === 'Succeeded') throw new Error('the Pod has ended instead of being restarted');
      return (found?.restartCount ?? 0) >= 1 && found?.lastState?.terminated?.exitCode === 0;
    });
  },
});
