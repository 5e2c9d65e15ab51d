import assert from 'node:assert/strict';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

export default conformanceTest({
  name: '[sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]',
  release: 'v1.19',
  behavior:
    'An Endpoints object MUST be created, listed in all namespaces, updated, patched, watched, and deleted as part of a collection.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'testservice' };
    const labels = { 'test-endpoint-static': namespace };
    const labelSelector = `test-endpoint-static=${namespace}`;
    const { metadata } = await client(endpoints).list({ namespace });
    const watch = client(endpoints).watch({ namespace, labelSelector, resourceVersion: metadata.resourceVersion ?? '' });
    const seen = take(4, watch, { withinSeconds: 30 });
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' as const }];
    const created = await client(endpoints).create({
      metadata: { ...key, labels },
      subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports }],
    });
    assert.equal((await client(endpoints).list({ labelSelector })).items.length, 1);
    const changed = { ...created, metadata: { ...created.metadata, labels: { ...labels, 'test-service': 'updated' } } };
    await client(endpoints).update(changed);
    const subsets = [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ name: 'http-test', port: 8080, protocol: 'TCP' as const }] }];
    const body = { metadata: { labels: { 'test-service': 'patched' } }, subsets };
    const patched = await client(endpoints).patch(key, { type: 'strategic', body });
    assert.deepEqual(patched.subsets, subsets);
    assert.equal(patched.metadata.labels?.['test-service'], 'patched');
    await client(endpoints).deleteCollection({ namespace, labelSelector });
    assert.deepEqual(
      (await seen).map(({ type }) => type),
      ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'],
    );
  },
});
