import assert from 'node:assert/strict';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-network] Services should serve a basic endpoint from pods [Conformance]',
  release: 'v1.9',
  behavior: 'The endpoints of a Service MUST follow its ready Pods, and the Service be reached through its ClusterIP.',
  needsNode: true,
  async run(context) {
    const { client, namespace, exec } = context;
    const labels = { app: 'endpoint-test2' };
    const service = await client(services).create({
      metadata: { namespace, name: 'endpoint-test2' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 80 }] },
    });
    const expectPods = (...names: string[]) =>
      waitFor(
        `endpoints ${names.join(', ') || 'none'}`,
        async () => {
          const { items } = await client(endpointSlices).list({ namespace, labelSelector: 'kubernetes.io/service-name=endpoint-test2' });
          const found = items.flatMap((slice) => slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready);
          return (
            found
              .map(({ targetRef }) => targetRef?.name ?? '')
              .sort()
              .join() === names.join()
          );
        },
        { withinSeconds: 60 },
      );
    await startPod(context, {
      name: 'client',
      spec: { containers: [{ name: 'sh', image: testImages.busybox, command: ['sleep', '3600'] }] },
    });
    const reach = () =>
      waitFor(
        'an answer of the ClusterIP',
        async () => (await exec('client', ['wget', '-q', '-T', '2', '-O-', `http://${service.spec?.clusterIP}/`])).stdout.includes('nginx'),
        { withinSeconds: 30 },
      );
    const containers = [{ name: 'nginx', image: testImages.nginx, ports: [{ containerPort: 80 }] }];
    await expectPods();
    await startPod(context, { name: 'pod1', labels, spec: { containers } });
    await expectPods('pod1');
    await reach();
    await startPod(context, { name: 'pod2', labels, spec: { containers } });
    await expectPods('pod1', 'pod2');
    await client(pods).delete({ namespace, name: 'pod1' });
    await expectPods('pod2');
    await reach();
    await client(pods).delete({ namespace, name: 'pod2' });
    await expectPods();
    const refused = await exec('client', ['wget', '-q', '-T', '2', '-O-', `http://${service.spec?.clusterIP}/`]);
    assert.notEqual(refused.exitCode, 0);
  },
});
