import assert from 'node:assert/strict';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-network] DNS should provide DNS for the cluster [Conformance]',
  release: 'v1.9',
  behavior: 'A Pod MUST resolve kubernetes.default.svc.cluster.local to the ClusterIP of the API.',
  needsNode: true,
  async run(context) {
    const kubernetes = await context.client(services).get({ namespace: 'default', name: 'kubernetes' });
    const container = { name: 'querier', image: testImages.busybox, command: ['sleep', '3600'] };
    await startPod(context, { name: 'dns-test', spec: { containers: [container] } });
    const name = 'kubernetes.default.svc.cluster.local';
    const answer = await waitFor(
      `an answer for ${name}`,
      async () => {
        const { exitCode, stdout } = await context.exec('dns-test', ['nslookup', name]);
        return exitCode === 0 ? stdout : undefined;
      },
      { withinSeconds: 30 },
    );
    assert.ok(answer.includes(kubernetes.spec?.clusterIP ?? '?'), answer);
  },
});
