import { pods } from '../../../api/resources/core/v1/pod.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Garbage collector should not be blocked by dependency circle [Conformance]',
  release: 'v1.9',
  behavior: 'Objects that own each other in a circle MUST all be deleted once one of them is deleted in the foreground.',
  async run({ client, namespace }) {
    const create = (name: string) =>
      client(pods).create({
        metadata: { namespace, name },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'sleep', image: testImages.busybox, command: ['sleep', '3600'] }] },
      });
    const circle = [await create('pod1'), await create('pod2'), await create('pod3')];
    for (const [index, pod] of circle.entries()) {
      const owner = circle[(index + 2) % 3];
      const reference = { apiVersion: 'v1', kind: 'Pod', name: owner?.metadata.name, uid: owner?.metadata.uid };
      const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }];
      const key = { namespace, name: pod.metadata.name ?? '' };
      await client(pods).patch(key, { type: 'strategic', body: { metadata: { ownerReferences } } });
    }
    await client(pods).delete({ namespace, name: 'pod1' }, { propagationPolicy: 'Foreground' });
    await waitFor('removal of all three Pods', async () => (await client(pods).list({ namespace })).items.length === 0, {
      withinSeconds: 90,
    });
  },
});
