import assert from 'node:assert/strict';
import { CoreV1Api } from '@kubernetes/client-node';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

export default conformanceTest({
  name: '[sig-node] Secrets should patch a secret [Conformance]',
  release: 'v1.18',
  behavior: 'A Secret MUST be created, patched, found by label in all namespaces, and deleted as part of a collection.',
  async run({ client, kubeConfig, namespace }) {
    const key = { namespace, name: 'test-secret' };
    const labels = { 'test-secret-static': namespace };
    await client(secrets).create({ metadata: { ...key, labels }, data: { key: base64('value') }, type: 'Opaque' });
    const body = { metadata: { labels: { testsecret: 'true' } }, data: { key: base64('value1') } };
    await client(secrets).patch(key, { type: 'strategic', body });
    // Read back with the official client's generated API.
    const labelSelector = `testsecret=true,test-secret-static=${namespace}`;
    const { items } = await kubeConfig.makeApiClient(CoreV1Api).listSecretForAllNamespaces({ labelSelector });
    assert.deepEqual(
      items.map(({ metadata, data, type }) => [metadata?.name, data, type]),
      [['test-secret', { key: base64('value1') }, 'Opaque']],
    );
    await client(secrets).deleteCollection({ namespace, labelSelector });
    assert.deepEqual((await client(secrets).list({ namespace, labelSelector })).items, []);
  },
});
