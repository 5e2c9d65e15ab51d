import assert from 'node:assert/strict';
import { StatusError } from '../../../api/meta/status.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

const isInvalid = (error: unknown) => error instanceof StatusError && error.status.reason === 'Invalid';

export default conformanceTest({
  name: '[sig-storage] ConfigMap should be immutable if `immutable` field is set [Conformance]',
  release: 'v1.21',
  behavior:
    'The data of an immutable ConfigMap MUST NOT change, nor MUST it become mutable again; its metadata may change, and it can be deleted.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'immutable' };
    const created = await client(configMaps).create({ metadata: key, data: { 'data-1': 'value-1' } });
    const changed = await client(configMaps).update({ ...created, data: { 'data-1': 'value-2' } });
    const fixed = await client(configMaps).update({ ...changed, immutable: true });
    await assert.rejects(client(configMaps).update({ ...fixed, data: { 'data-1': 'value-3' } }), isInvalid);
    await assert.rejects(client(configMaps).update({ ...fixed, immutable: false }), isInvalid);
    await client(configMaps).update({ ...fixed, metadata: { ...fixed.metadata, labels: { label1: 'value1' } } });
    assert.deepEqual((await client(configMaps).get(key)).data, { 'data-1': 'value-2' });
    await client(configMaps).delete(key);
  },
});
