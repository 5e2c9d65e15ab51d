import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] ConfigMap should be consumable via the environment [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'All keys of a ConfigMap MUST reach a container as environment variables through envFrom, with the prefix if one is given.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    const data = { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' };
    await client(configMaps).create({ metadata: { namespace, name: 'env' }, data });
    const configMapRef = { name: 'env' };
    const envFrom = [{ configMapRef }, { prefix: 'p_', configMapRef }];
    const log = await runPodToEnd(context, {
      name: 'pod-configmaps',
      spec: { containers: [{ name: 'env-test', image: testImages.busybox, command: ['sh', '-c', 'env'], envFrom }] },
    });
    for (const [key, value] of Object.entries(data))
      for (const name of [key, `p_${key}`]) assert.match(log, new RegExp(`^${name}=${value}$`, 'm'));
  },
});
