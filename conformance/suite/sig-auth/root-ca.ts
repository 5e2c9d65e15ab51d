import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]',
  release: 'v1.21',
  behavior: 'Every namespace MUST have the ConfigMap kube-root-ca.crt; when deleted or changed it MUST be restored.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'kube-root-ca.crt' };
    const certificate = () =>
      waitFor('kube-root-ca.crt', async () => (await ignoreNotFound(client(configMaps).get(key)))?.data?.['ca.crt'], { withinSeconds: 30 });
    const original = await certificate();
    assert.ok(new X509Certificate(original).ca);
    await client(configMaps).delete(key);
    assert.equal(await certificate(), original);
    await client(configMaps).patch(key, { type: 'merge', body: { data: { 'ca.crt': '' } } });
    await waitFor('the original content', async () => (await certificate()) === original, { withinSeconds: 30 });
  },
});
