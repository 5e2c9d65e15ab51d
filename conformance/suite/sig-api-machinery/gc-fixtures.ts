import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import type { Deployment } from '../../../api/types/apps-v1.ts';
import type { ConformanceContext } from '../../framework/conformance-context.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

/** Creates a Deployment and waits until its ReplicaSet is there. */
export async function createDeploymentWithReplicaSet({ client, namespace }: ConformanceContext, name: string): Promise<Deployment> {
  const labels = { app: name };
  const deployment = await client(deployments).create({
    metadata: { namespace, name },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'sleep', image: testImages.busybox, command: ['sleep', '3600'] }] },
      },
    },
  });
  await waitFor('a ReplicaSet of the Deployment', async () => (await client(replicaSets).list({ namespace })).items.length === 1, {
    withinSeconds: 30,
  });
  return deployment;
}
