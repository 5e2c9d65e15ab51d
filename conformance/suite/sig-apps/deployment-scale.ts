import assert from 'node:assert/strict';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-apps] Deployment Deployment should have a working scale subresource [Conformance]',
  release: 'v1.21',
  behavior: 'The scale of a Deployment MUST be read, updated and patched, and its replicas follow.',
  needsNode: true,
  async run({ client, namespace }) {
    const key = { namespace, name: 'test-new-deployment' };
    const labels = { app: 'scaled' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: testImages.nginx }] } };
    await client(deployments).create({ metadata: key, spec: { replicas: 1, selector: { matchLabels: labels }, template } });
    const ready = (count: number) =>
      waitFor(
        `${count} ready replicas`,
        async () => ((await client(deployments).get(key)).status?.readyReplicas ?? 0) === count || undefined,
        { withinSeconds: 90 },
      );
    await ready(1);
    const scale = await client(deployments).getSubresource<Scale>(key, 'scale');
    assert.deepEqual([scale.spec?.replicas, scale.status?.replicas, scale.status?.selector], [1, 1, 'app=scaled']);
    const changed = await client(deployments).updateSubresource<Scale>(key, 'scale', { ...scale, spec: { replicas: 2 } });
    assert.equal(changed.spec?.replicas, 2);
    assert.equal((await client(deployments).get(key)).spec?.replicas, 2);
    await ready(2);
    await client(deployments).patch(key, { type: 'merge', body: { spec: { replicas: 4 } } }, { subresource: 'scale' });
    assert.equal((await client(deployments).get(key)).spec?.replicas, 4);
    await ready(4);
  },
});
