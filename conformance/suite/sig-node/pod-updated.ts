import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';

export default conformanceTest({
  name: '[sig-node] Pods should be updated [NodeConformance] [Conformance]',
  release: 'v1.9',
  behavior: 'The labels of a running Pod MUST be updated, and the Pod be found by them.',
  needsNode: true,
  async run(context) {
    const { client, namespace } = context;
    const key = { namespace, name: 'pod-update' };
    const spec = { containers: [{ name: 'nginx', image: testImages.nginx }] };
    await startPod(context, { name: key.name, labels: { name: 'foo', time: 'before' }, spec });
    await retryOnConflict(systemClock, async () => {
      const pod = await client(pods).get(key);
      await client(pods).update({ ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, time: 'after' } } });
    });
    const { items } = await client(pods).list({ namespace, labelSelector: 'time=after' });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['pod-update'],
    );
  },
});
