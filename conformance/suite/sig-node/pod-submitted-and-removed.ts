import assert from 'node:assert/strict';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { createPod, waitForPod } from '../../framework/run-pod.ts';
import { take } from '../../framework/take.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'A Pod MUST be created, observed by a watch, run, be deleted gracefully and be gone in the end.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    const labelSelector = 'name=foo';
    const before = await client(pods).list({ namespace, labelSelector });
    assert.deepEqual(before.items, []);
    const resourceVersion = before.metadata.resourceVersion ?? '';
    const created = take(1, client(pods).watch({ namespace, labelSelector, resourceVersion }), { withinSeconds: 30 });
    const spec = { containers: [{ name: 'nginx', image: testImages.nginx }], terminationGracePeriodSeconds: 30 };
    await createPod(context, { name: 'pod-submit-remove', labels: { name: 'foo' }, spec });
    assert.equal((await created)[0]?.type, 'ADDED');
    const running = await waitForPod(context, 'pod-submit-remove', 'running', ({ status }) => status?.phase === 'Running');
    const fromNow = client(pods).watch({ namespace, labelSelector, resourceVersion: running.metadata.resourceVersion ?? '' });
    const deleted = (async () => {
      for await (const event of fromNow) if (event.type === 'DELETED') return event.object;
      return undefined;
    })();
    await client(pods).delete({ namespace, name: 'pod-submit-remove' });
    const last = await deleted;
    assert.ok(last?.metadata.deletionTimestamp, 'the deleted Pod says when it was to be deleted');
    assert.notEqual(last.spec?.terminationGracePeriodSeconds, 0);
    await waitFor('an empty list', async () => (await client(pods).list({ namespace, labelSelector })).items.length === 0, {
      withinSeconds: 60,
    });
  },
});
