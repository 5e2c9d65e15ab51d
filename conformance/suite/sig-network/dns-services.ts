import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { startPod } from '../../framework/run-pod.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-network] DNS should provide DNS for services [Conformance]',
  release: 'v1.9',
  behavior: 'A Pod MUST resolve a Service to its ClusterIP, a headless Service to its Pods, and the SRV records of their named ports.',
  needsNode: true,
  async run(context) {
    const { client, namespace, exec } = context;
    const labels = { 'dns-test': 'true' };
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' as const }];
    await client(services).create({
      metadata: { namespace, name: 'dns-test-service' },
      spec: { clusterIP: 'None', selector: labels, ports },
    });
    const regular = await client(services).create({ metadata: { namespace, name: 'test-service-2' }, spec: { selector: labels, ports } });
    const container = { name: 'nginx', image: testImages.nginx, ports: [{ containerPort: 80 }] };
    await startPod(context, { name: 'dns-test', labels, spec: { containers: [container] } });
    const pod = await client(pods).get({ namespace, name: 'dns-test' });
    const resolves = (query: readonly string[], wanted: string) =>
      waitFor(`${query.join(' ')} to say ${wanted}`, async () => (await exec('dns-test', ['nslookup', ...query])).stdout.includes(wanted), {
        withinSeconds: 30,
      });
    const suffix = `${namespace}.svc.cluster.local`;
    await resolves([`dns-test-service.${suffix}`], pod.status?.podIP ?? '?');
    await resolves([`test-service-2.${suffix}`], regular.spec?.clusterIP ?? '?');
    await resolves(['-type=srv', `_http._tcp.test-service-2.${suffix}`], `test-service-2.${suffix}`);
    await resolves(['-type=srv', `_http._tcp.dns-test-service.${suffix}`], `dns-test-service.${suffix}`);
  },
});
