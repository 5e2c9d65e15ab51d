import assert from 'node:assert/strict';
import { AuthenticationV1Api, CoreV1Api } from '@kubernetes/client-node';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]',
  release: 'v1.32',
  behavior: 'A token of a ServiceAccount MUST be created, and a TokenReview of it name the ServiceAccount as authenticated.',
  async run({ kubeConfig, namespace }) {
    const core = kubeConfig.makeApiClient(CoreV1Api);
    const name = 'e2e-sa';
    const account = await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    const spec = { audiences: [], expirationSeconds: 600 };
    const token = (await core.createNamespacedServiceAccountToken({ namespace, name, body: { spec } })).status?.token ?? '';
    assert.notEqual(token, '');
    const review = await kubeConfig.makeApiClient(AuthenticationV1Api).createTokenReview({ body: { spec: { token } } });
    assert.equal(review.status?.error, undefined);
    assert.equal(review.status?.authenticated, true);
    assert.equal(review.status?.user?.username, `system:serviceaccount:${namespace}:${name}`);
    assert.equal(review.status?.user?.uid, account.metadata?.uid);
  },
});
