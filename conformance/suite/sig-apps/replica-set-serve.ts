import assert from 'node:assert/strict';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-apps] ReplicaSet should serve a basic image on each replica with a public image [Conformance]',
  release: 'v1.9',
  behavior: 'A ReplicaSet MUST start its replicas, each of which answers with its own name.',
  needsNode: true,
  async run({ client, namespace, request }) {
    const labels = { name: 'my-hostname-basic' };
    const command = ['sh', '-c', 'mkdir /tmp/www; hostname >/tmp/www/index.html; exec httpd -f -p 9376 -h /tmp/www'];
    const containers = [{ name: 'my-hostname', image: testImages.busybox, command, ports: [{ containerPort: 9376 }] }];
    await client(replicaSets).create({
      metadata: { namespace, name: 'my-hostname-basic' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } },
      },
    });
    const ready = await waitFor(
      'two ready Pods',
      async () => {
        const { items } = await client(pods).list({ namespace, labelSelector: 'name=my-hostname-basic' });
        return items.length === 2 && items.every(isPodReady) ? items : undefined;
      },
      { withinSeconds: 90 },
    );
    for (const { metadata } of ready) {
      const said = await waitFor(
        `an answer of ${metadata.name}`,
        async () => {
          const answer = await request('GET', `/api/v1/namespaces/${namespace}/pods/${metadata.name}:9376/proxy/`, { accept: '*/*' });
          return answer.status === 200 ? answer.text : undefined;
        },
        { withinSeconds: 30 },
      );
      assert.equal(said.trim(), metadata.name);
    }
  },
});
