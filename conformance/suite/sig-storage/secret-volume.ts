import assert from 'node:assert/strict';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-storage] Secrets should be consumable from pods in volume [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'The keys of a Secret MUST be files of a volume in memory.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    await client(secrets).create({
      metadata: { namespace, name: 'volume' },
      data: { 'data-1': Buffer.from('value-1').toString('base64') },
    });
    const container = {
      name: 'test',
      image: testImages.busybox,
      command: ['sh', '-c', 'cat /etc/secret/data-1; echo; stat -L -c %a /etc/secret/data-1; stat -f -c %T /etc/secret'],
      volumeMounts: [{ name: 'secret', mountPath: '/etc/secret', readOnly: true }],
    };
    const volumes = [{ name: 'secret', secret: { secretName: 'volume' } }];
    const log = await runPodToEnd(context, { name: 'pod-secrets', spec: { containers: [container], volumes } });
    assert.equal(log, 'value-1\n644\ntmpfs\n');
  },
});
