import assert from 'node:assert/strict';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { eventually } from '../testing/complete-server.ts';
import { extensionGroup } from './testing/extension-server.ts';
import { type AggregatingServer, startAggregatingServer } from './testing/start-aggregating-server.ts';

const registration = '/apis/apiregistration.k8s.io/v1/apiservices';

/** Makes the APIService of the extension server, and its Service. */
async function register({ ask, extension: { address, port } }: AggregatingServer): Promise<void> {
  const post = async (target: string, body: object) => {
    const { status, text } = await ask('POST', target, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    assert.equal(status, 201, text);
  };
  await post('/api/v1/namespaces', { metadata: { name: 'ext' } });
  await post('/api/v1/namespaces/ext/services', { metadata: { name: 'api' }, spec: { ports: [{ port: 443 }] } });
  await post('/apis/discovery.k8s.io/v1/namespaces/ext/endpointslices', {
    ...{ metadata: { name: 'api-1', labels: { 'kubernetes.io/service-name': 'api' } }, addressType: 'IPv4' },
    ...{ endpoints: [{ addresses: [address] }], ports: [{ port }] },
  });
  const service = { namespace: 'ext', name: 'api' };
  const priorities = { groupPriorityMinimum: 2000, versionPriority: 15 };
  const spec = { group: extensionGroup, version: 'v1', ...priorities, service, insecureSkipTLSVerify: true };
  await post(registration, { metadata: { name: `v1.${extensionGroup}` }, spec });
}

describe('an APIService that leads back to its own API server', function () {
  this.timeout(60_000);

  it('is not available, and nothing is passed on in a circle', async function () {
    const server = await startAggregatingServer(() => true);
    if (!server) return this.skip();
    const { ask, extension } = server;
    try {
      const { address, port } = extension;
      await register(server);
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

describe('an aggregated API server that reads other headers', function () {
  this.timeout(60_000);

  it('is not told by clients who they are', async function () {
    const server = await startAggregatingServer(undefined, { isIdentityHeader: (name) => name === 'x-user' });
    if (!server) return this.skip();
    const { ask, extension } = server;
    try {
      await register(server);
      const target = `/apis/${extensionGroup}/v1/namespaces/default/echoes`;
      const headers = { 'x-user': 'root', 'x-remote-user': 'root', 'x-other': 'kept' };
      await eventually('that it answers', async () => (await ask('GET', target, { headers })).status !== 503);
      const seen = extension.seen.findLast(({ url }) => url.startsWith(target));
      const valueOf = (name: string) => seen?.lines.find(([line]) => line.toLowerCase() === name)?.[1];
      assert.equal(valueOf('x-user'), undefined);
      assert.notEqual(valueOf('x-remote-user'), 'root');
      assert.equal(valueOf('x-other'), 'kept');
    } finally {
      await server.close();
    }
  });
});
