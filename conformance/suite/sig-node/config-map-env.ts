import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] ConfigMap should be consumable via environment variable [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'A key of a ConfigMap MUST reach a container as the value of an environment variable.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    await client(configMaps).create({ metadata: { namespace, name: 'env' }, data: { 'data-1': 'value-1' } });
    const valueFrom = { configMapKeyRef: { name: 'env', key: 'data-1' } };
    const env = [{ name: 'CONFIG_DATA_1', valueFrom }];
    const log = await runPodToEnd(context, {
      name: 'pod-configmaps',
      spec: { containers: [{ name: 'env-test', image: testImages.busybox, command: ['sh', '-c', 'env'], env }] },
    });
    assert.match(log, /^CONFIG_DATA_1=value-1$/m);
  },
});
