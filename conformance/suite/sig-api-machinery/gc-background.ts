import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { createDeploymentWithReplicaSet } from './gc-fixtures.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning [Conformance]',
  release: 'v1.9',
  behavior: 'When a Deployment is deleted with propagation policy Background, its ReplicaSets MUST be deleted too.',
  async run(context) {
    const { client, namespace } = context;
    const { metadata } = await createDeploymentWithReplicaSet(context, 'simpletest-deployment');
    const preconditions = metadata.uid === undefined ? {} : { uid: metadata.uid };
    await client(deployments).delete({ namespace, name: 'simpletest-deployment' }, { propagationPolicy: 'Background', preconditions });
    await waitFor('removal of the ReplicaSet', async () => (await client(replicaSets).list({ namespace })).items.length === 0, {
      withinSeconds: 60,
    });
  },
});
