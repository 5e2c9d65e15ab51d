import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

export default conformanceTest({
  name: '[sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]',
  release: 'v1.19',
  behavior: 'A ConfigMap MUST be created, patched, listed in all namespaces by label, and deleted as part of a collection.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'test-configmap' };
    const labelSelector = `test-configmap-static=${namespace}`;
    const { metadata } = await client(configMaps).list({ namespace });
    const watch = client(configMaps).watch({ namespace, labelSelector, resourceVersion: metadata.resourceVersion ?? '' });
    const seen = take(3, watch, { withinSeconds: 30 });
    const labels = { 'test-configmap-static': namespace };
    await client(configMaps).create({ metadata: { ...key, labels }, data: { valueName: 'value' } });
    const body = { metadata: { labels: { 'test-configmap': 'patched' } }, data: { valueName: 'value1' } };
    const patched = await client(configMaps).patch(key, { type: 'strategic', body });
    assert.deepEqual([patched.metadata.labels?.['test-configmap'], patched.data?.['valueName']], ['patched', 'value1']);
    const all = await client(configMaps).list({ labelSelector });
    assert.deepEqual(
      all.items.map(({ data }) => data),
      [{ valueName: 'value1' }],
    );
    await client(configMaps).deleteCollection({ namespace, labelSelector });
    assert.deepEqual(
      (await seen).map(({ type }) => type),
      ['ADDED', 'MODIFIED', 'DELETED'],
    );
    assert.deepEqual((await client(configMaps).list({ namespace, labelSelector })).items, []);
  },
});
