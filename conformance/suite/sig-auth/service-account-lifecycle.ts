import assert from 'node:assert/strict';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

export default conformanceTest({
  name: '[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount [Conformance]',
  release: 'v1.19',
  behavior: 'A ServiceAccount MUST be created, patched, found by label in all namespaces, and deleted as part of a collection.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'testserviceaccount' };
    const labelSelector = `test-serviceaccount-static=${namespace}`;
    const { metadata } = await client(serviceAccounts).list({ namespace });
    const watch = client(serviceAccounts).watch({ namespace, labelSelector, resourceVersion: metadata.resourceVersion ?? '' });
    const seen = take(3, watch, { withinSeconds: 30 });
    await client(serviceAccounts).create({ metadata: { ...key, labels: { 'test-serviceaccount-static': namespace } } });
    const patched = await client(serviceAccounts).patch(key, { type: 'strategic', body: { automountServiceAccountToken: false } });
    assert.equal(patched.automountServiceAccountToken, false);
    assert.equal((await client(serviceAccounts).list({ labelSelector })).items.length, 1);
    await client(serviceAccounts).deleteCollection({ namespace, labelSelector });
    assert.deepEqual(
      (await seen).map(({ type }) => type),
      ['ADDED', 'MODIFIED', 'DELETED'],
    );
  },
});
