import assert from 'node:assert/strict';
import { readServiceAccountKeys } from '../authentication/service-account-keys.ts';
import { makeSigningKey } from '../../pki/make-certificate.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { startCompleteServer } from '../testing/complete-server.ts';
import { createOpenIDDocuments } from './openid.ts';

const keys = readServiceAccountKeys((await makeSigningKey()).privateKeyPEM);

describe('documents for verifiers of service account tokens', () => {
  for (const [issuer, problem] of [
    ['https://a.test/path', undefined],
    ['http://a.test', 'issuer URL must use https scheme, got: http://a.test'],
    ['kubernetes', 'issuer URL must use https scheme, got: kubernetes'],
    ['https://a.test?x', 'issuer URL may not include a query, got: https://a.test?x'],
    ['https://a.test#x', 'issuer URL may not include a fragment, got: https://a.test#x'],
  ] as const)
    it(`${issuer} ${problem === undefined ? 'has them' : 'has none'}`, () => {
      const problems: string[] = [];
      const documents = createOpenIDDocuments(keys, issuer, 'a:6443', (text) => problems.push(text));
      assert.equal(documents === undefined, problem !== undefined);
      assert.deepEqual(
        problems,
        problem === undefined
          ? []
          : [
              `Could not construct pre-rendered responses for ServiceAccountIssuerDiscovery endpoints. Endpoints will not be enabled. Error: ${problem}`,
            ],
      );
    });

  it('are served, and named among the paths', async () => {
    const { server, close } = await startCompleteServer();
    const api = createAPICaller(server.transport);
    const { body } = await api.get<{ issuer: string }>('/.well-known/openid-configuration');
    assert.equal(body.issuer, 'https://kubernetes.default.svc.cluster.local');
    const { paths } = (await api.get<{ paths: string[] }>('/')).body;
    assert.ok(['/.well-known/openid-configuration', '/openid/v1/jwks'].every((one) => paths.includes(one)));
    await close();
  });
});
