import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { createDeploymentWithReplicaSet } from './gc-fixtures.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]',
  release: 'v1.9',
  behavior: 'When a Deployment is deleted with propagation policy Orphan, its ReplicaSets MUST stay, without an owner reference to it.',
  async run(context) {
    const { client, namespace } = context;
    const key = { namespace, name: 'simpletest-deployment' };
    const { metadata } = await createDeploymentWithReplicaSet(context, key.name);
    await client(deployments).delete(key, { propagationPolicy: 'Orphan' });
    await waitFor('removal of the Deployment', async () => (await ignoreNotFound(client(deployments).get(key))) === undefined, {
      withinSeconds: 60,
    });
    const { items } = await client(replicaSets).list({ namespace });
    assert.equal(items.length, 1, 'the ReplicaSet is gone');
    const owners = items[0]?.metadata.ownerReferences ?? [];
    assert.deepEqual(
      owners.filter(({ uid }) => uid === metadata.uid),
      [],
    );
  },
});
