import assert from 'node:assert/strict';
import { services } from '../../../api/resources/core/v1/service.ts';
import { type CompleteServer, refusal, startCompleteServer } from '../testing/complete-server.ts';

describe('DenyServiceExternalIPs', () => {
  let server: CompleteServer;
  afterEach(() => server.close());
  const service = (name: string, ...externalIPs: string[]) => ({
    metadata: { namespace: 'default', name },
    spec: { ports: [{ port: 80 }], externalIPs },
  });

  it('refuses external IPs that a Service does not have yet, where it is enabled', async () => {
    server = await startCompleteServer(undefined, { enable: ['DenyServiceExternalIPs'] });
    const { admin } = server;
    const message = 'services "web" is forbidden: Use of external IPs is denied by admission control';
    assert.equal(await refusal(admin(services).create(service('web', '192.0.2.1'))), message);
    const { metadata, spec } = await admin(services).create(service('web'));
    assert.equal(await refusal(admin(services).update({ metadata, spec: { ...spec, externalIPs: ['192.0.2.1'] } })), message);
    await admin(services).update({ metadata, spec: { ...spec, externalIPs: [] } });
  });

  it('is off otherwise', async () => {
    server = await startCompleteServer();
    await server.admin(services).create(service('web', '192.0.2.1'));
  });
});
