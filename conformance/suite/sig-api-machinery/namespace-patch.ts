import assert from 'node:assert/strict';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]',
  release: 'v1.18',
  behavior: 'A Namespace MUST be patched, and show the patched label when read.',
  async run({ client, createNamespace }) {
    const name = await createNamespace('nspatchtest');
    const key = { namespace: '', name };
    await client(namespaces).patch(key, { type: 'strategic', body: { metadata: { labels: { testLabel: 'testValue' } } } });
    const { metadata } = await client(namespaces).get(key);
    assert.equal(metadata.labels?.['testLabel'], 'testValue');
    assert.equal(metadata.labels?.['kubernetes.io/metadata.name'], name);
  },
});
