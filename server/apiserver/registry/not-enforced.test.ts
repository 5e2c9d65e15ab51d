import assert from 'node:assert/strict';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';

describe('what is to guard a cluster and is not called', () => {
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer();
  });
  after(() => complete.close());

  const metadata = { name: 'guard.example.com' };
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
  const clientConfig = { url: 'https://guard.example.com/' };
  const webhook = { name: 'guard.example.com', rules, clientConfig, sideEffects: 'None', admissionReviewVersions: ['v1'] };
  for (const [plural, kind, body, what] of [
    ['validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', { webhooks: [webhook] }, 'call webhooks'],
    ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', { webhooks: [webhook] }, 'call webhooks'],
  ] as const)
    it(`is warned of: ${kind}`, async () => {
      const api = createAPICaller(complete.server.transport);
      const path = `/apis/admissionregistration.k8s.io/v1/${plural}`;
      const { status, headers, text } = await api.post(path, { metadata, ...body });
      assert.equal(status, 201, text);
      const warning = `299 - "this server does not ${what} yet: the ${kind} is stored and not enforced"`;
      assert.ok(String(headers['warning']).includes(warning), headers['warning'] ?? 'none');
      const patched = await api.patch(`${path}/guard.example.com`, 'merge', { metadata: { labels: { a: 'b' } } });
      assert.ok(String(patched.headers['warning']).includes(warning), patched.headers['warning'] ?? 'none');
      assert.equal((await api.get(`${path}/guard.example.com`)).headers['warning'], undefined);
    });

  it('is not warned of where there is nothing to call', async () => {
    const { headers } = await createAPICaller(complete.server.transport).post(
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
      { metadata: { name: 'empty' } },
    );
    assert.equal(headers['warning'], undefined);
  });
});
