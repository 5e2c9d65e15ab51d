import assert from 'node:assert/strict';
import { StatusError } from '../../../api/meta/status.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

const isInvalid = (error: unknown) => error instanceof StatusError && error.status.reason === 'Invalid';
const base64 = (text: string) => Buffer.from(text).toString('base64');

export default conformanceTest({
  name: '[sig-storage] Secrets should be immutable if `immutable` field is set [Conformance]',
  release: 'v1.21',
  behavior: 'The data of an immutable Secret MUST NOT change, nor MUST it become mutable again; it can be deleted.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'immutable' };
    const created = await client(secrets).create({ metadata: key, data: { 'data-1': base64('value-1') } });
    const fixed = await client(secrets).update({ ...created, immutable: true });
    await assert.rejects(client(secrets).update({ ...fixed, data: { 'data-1': base64('value-3') } }), isInvalid);
    await assert.rejects(client(secrets).update({ ...fixed, immutable: false }), isInvalid);
    await client(secrets).update({ ...fixed, metadata: { ...fixed.metadata, labels: { label1: 'value1' } } });
    await client(secrets).delete(key);
  },
});
