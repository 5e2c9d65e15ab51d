import assert from 'node:assert/strict';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] Secrets should be consumable from pods in env vars [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'A key of a Secret MUST reach a container, decoded, as the value of an environment variable.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    const data = { 'data-1': Buffer.from('value-1\n').toString('base64') };
    await client(secrets).create({ metadata: { namespace, name: 'env' }, data });
    const env = [{ name: 'SECRET_DATA', valueFrom: { secretKeyRef: { name: 'env', key: 'data-1' } } }];
    const log = await runPodToEnd(context, {
      name: 'pod-secrets',
      spec: { containers: [{ name: 'secret-env-test', image: testImages.busybox, command: ['sh', '-c', 'env'], env }] },
    });
    assert.match(log, /^SECRET_DATA=value-1$/m);
  },
});
