import assert from 'node:assert/strict';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

const revision = 'deployment.kubernetes.io/revision';

export default conformanceTest({
  name: '[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]',
  release: 'v1.12',
  behavior:
    'A Deployment MUST adopt a ReplicaSet that matches its selector, replace its Pods by those of the new template, and keep the old ReplicaSet scaled down to nothing.',
  needsNode: true,
  async run({ client, namespace }) {
    const labels = { name: 'sample-pod', pod: 'httpd' };
    const key = { namespace, name: 'test-rolling-update-deployment' };
    const podsOf = (image: string, command?: string[]) => ({
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, ...(command ? { command } : {}) }] },
    });
    const old = await client(replicaSets).create({
      metadata: { namespace, name: 'test-rolling-update-controller', labels, annotations: { [revision]: '3546343826724305832' } },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: podsOf(testImages.busybox, ['sleep', '3600']) },
    });
    const oldKey = { namespace, name: old.metadata.name ?? '' };
    await waitFor('the old Pod', async () => (await client(replicaSets).get(oldKey)).status?.readyReplicas === 1, { withinSeconds: 90 });
    await client(deployments).create({
      metadata: key,
      spec: { replicas: 1, selector: { matchLabels: labels }, template: podsOf(testImages.nginx) },
    });
    const done = await waitFor(
      'completion of the rollout',
      async () => {
        const deployment = await client(deployments).get(key);
        const { updatedReplicas, availableReplicas, replicas, observedGeneration } = deployment.status ?? {};
        const complete = updatedReplicas === 1 && availableReplicas === 1 && replicas === 1;
        return complete && observedGeneration === deployment.metadata.generation ? deployment : undefined;
      },
      { withinSeconds: 90 },
    );
    assert.equal(done.metadata.annotations?.[revision], '3546343826724305833');
    const adopted = await client(replicaSets).get(oldKey);
    assert.equal(adopted.spec?.replicas, 0);
    assert.equal(adopted.metadata.ownerReferences?.[0]?.uid, done.metadata.uid);
    const all = await client(replicaSets).list({ namespace });
    assert.equal(all.items.length, 2);
  },
});
