import assert from 'node:assert/strict';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';

describe('AlwaysPullImages', () => {
  let server: CompleteServer;
  afterEach(() => server.close());
  const pod = (): Pod => ({
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      initContainers: [{ name: 'i', image: 'i:1', imagePullPolicy: 'Never' }],
      containers: [
        { name: 'c', image: 'c:1', imagePullPolicy: 'IfNotPresent' },
        { name: 'd', image: 'd:1' },
      ],
    },
  });
  const policies = ({ spec }: DeepReadonly<Pod>) => spec?.containers.map(({ imagePullPolicy }) => imagePullPolicy);

  it('has every image pulled, where it is enabled', async () => {
    server = await startCompleteServer(undefined, { enable: ['AlwaysPullImages'] });
    const created = await server.admin(pods).create(pod());
    assert.deepEqual(policies(created), ['Always', 'Always']);
    assert.equal(created.spec?.initContainers?.[0]?.imagePullPolicy, 'Always');
  });
  it('is off otherwise', async () => {
    server = await startCompleteServer();
    assert.deepEqual(policies(await server.admin(pods).create(pod())), ['IfNotPresent', 'IfNotPresent']);
  });
});
