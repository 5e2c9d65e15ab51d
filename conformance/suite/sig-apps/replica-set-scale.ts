import assert from 'node:assert/strict';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]',
  release: 'v1.21',
  behavior: 'The scale of a ReplicaSet MUST be read, updated and patched.',
  needsNode: true,
  async run({ client, namespace }) {
    const key = { namespace, name: 'test-rs' };
    const labels = { app: 'test-rs' };
    const template = {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'httpd', image: testImages.nginx }] },
    };
    await client(replicaSets).create({ metadata: key, spec: { replicas: 1, selector: { matchLabels: labels }, template } });
    await waitFor('the Pod', async () => (await client(replicaSets).get(key)).status?.readyReplicas === 1, { withinSeconds: 90 });
    const scale = await client(replicaSets).getSubresource<Scale>(key, 'scale');
    assert.deepEqual([scale.spec?.replicas, scale.status?.replicas, scale.status?.selector], [1, 1, 'app=test-rs']);
    const changed = await client(replicaSets).updateSubresource<Scale>(key, 'scale', { ...scale, spec: { replicas: 2 } });
    assert.equal(changed.spec?.replicas, 2);
    await client(replicaSets).patch(key, { type: 'merge', body: { spec: { replicas: 4 } } }, { subresource: 'scale' });
    assert.equal((await client(replicaSets).get(key)).spec?.replicas, 4);
  },
});
