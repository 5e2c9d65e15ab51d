import assert from 'node:assert/strict';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { eventually } from '../testing/complete-server.ts';
import { extensionGroup } from './testing/extension-server.ts';
import { startAggregatingServer } from './testing/start-aggregating-server.ts';

describe('an APIService that leads back to its own API server', function () {
  this.timeout(60_000);

  it('is not available, and nothing is passed on in a circle', async function () {
    const server = await startAggregatingServer(() => true);
    if (!server) return this.skip();
    const { ask, extension } = server;
    const post = async (target: string, body: object) => {
      const { status, text } = await ask('POST', target, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
      assert.equal(status, 201, text);
    };
    try {
      const { address, port } = extension;
      const registration = '/apis/apiregistration.k8s.io/v1/apiservices';
      await post('/api/v1/namespaces', { metadata: { name: 'ext' } });
      await post('/api/v1/namespaces/ext/services', { metadata: { name: 'api' }, spec: { ports: [{ port: 443 }] } });
      await post('/apis/discovery.k8s.io/v1/namespaces/ext/endpointslices', {
        ...{ metadata: { name: 'api-1', labels: { 'kubernetes.io/service-name': 'api' } }, addressType: 'IPv4' },
        ...{ endpoints: [{ addresses: [address] }], ports: [{ port }] },
      });
      const service = { namespace: 'ext', name: 'api' };
      const spec = {
        group: extensionGroup,
        version: 'v1',
        groupPriorityMinimum: 2000,
        versionPriority: 15,
        service,
        insecureSkipTLSVerify: true,
      };
      await post(registration, { metadata: { name: `v1.${extensionGroup}` }, spec });
      await eventually('the condition', async () => {
        const { status } = JSON.parse((await ask('GET', `${registration}/v1.${extensionGroup}`)).text) as APIService;
        const [condition] = status?.conditions ?? [];
        return condition?.message === `the endpoint ${address}:${port} is of this API server itself`;
      });
      const { status, text } = await ask('GET', `/apis/${extensionGroup}/v1/echoes`);
      assert.deepEqual([status, text, extension.seen.length], [503, 'service unavailable\n', 0]);
    } finally {
      await server.close();
    }
  });
});
