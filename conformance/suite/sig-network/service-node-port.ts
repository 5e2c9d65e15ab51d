import assert from 'node:assert/strict';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-network] Services should be able to create a functioning NodePort service [Conformance]',
  release: 'v1.16',
  behavior: 'A NodePort Service MUST be reached by its name, its ClusterIP, and the address and port of each node.',
  needsNode: true,
  async run(context) {
    const { client, namespace, exec } = context;
    const labels = { app: 'nodeport-test' };
    const service = await client(services).create({
      metadata: { namespace, name: 'nodeport-test' },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }] },
    });
    const nodePort = service.spec?.ports?.[0]?.nodePort ?? 0;
    assert.ok(nodePort >= 30000 && nodePort <= 32767, `node port ${nodePort}`);
    const containers = [{ name: 'nginx', image: testImages.nginx, ports: [{ containerPort: 80 }] }];
    await startPod(context, { name: 'server', labels, spec: { containers } });
    await startPod(context, {
      name: 'client',
      spec: { containers: [{ name: 'sh', image: testImages.busybox, command: ['sleep', '3600'] }] },
    });
    const { items } = await client(nodes).list();
    const addresses = items.flatMap(({ status }) => status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
    assert.ok(addresses.length > 0);
    const hosts = ['nodeport-test:80', `${service.spec?.clusterIP}:80`, ...addresses.map(({ address }) => `${address}:${nodePort}`)];
    for (const host of hosts)
      await waitFor(
        `an answer of ${host}`,
        async () => (await exec('client', ['wget', '-q', '-T', '2', '-O-', `http://${host}/`])).stdout.includes('nginx'),
        { withinSeconds: 30 },
      );
  },
});
