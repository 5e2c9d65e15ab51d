import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runPodToEnd } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-storage] ConfigMap should be consumable from pods in volume [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'The keys of a ConfigMap MUST be files of a volume, readable by all (0644) where nothing else is asked for.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    await client(configMaps).create({ metadata: { namespace, name: 'volume' }, data: { 'data-1': 'value-1', 'data-2': 'value-2' } });
    const container = {
      name: 'test',
      image: testImages.busybox,
      command: ['sh', '-c', 'cat /etc/config/data-1; echo; stat -L -c %a /etc/config/data-1'],
      volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
    };
    const volumes = [{ name: 'config', configMap: { name: 'volume' } }];
    const log = await runPodToEnd(context, { name: 'pod-configmaps', spec: { containers: [container], volumes } });
    assert.equal(log, 'value-1\n644\n');
  },
});
