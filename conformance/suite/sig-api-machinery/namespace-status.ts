import assert from 'node:assert/strict';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]',
  release: 'v1.25',
  behavior: 'The status of a Namespace MUST be read, patched and updated through its subresource.',
  async run({ client, createNamespace }) {
    const key = { namespace: '', name: await createNamespace('status') };
    const read = await client(namespaces).getSubresource<{ status?: { phase?: string } }>(key, 'status');
    assert.equal(read.status?.phase, 'Active');
    const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: `Set from an e2e test` });
    const body = { metadata: { annotations: { e2e: 'patched' } }, status: { conditions: [condition('StatusPatch')] } };
    const patched = await client(namespaces).patch(key, { type: 'merge', body }, { subresource: 'status' });
    assert.deepEqual(
      patched.status?.conditions?.map(({ type, reason }) => [type, reason]),
      [['StatusPatch', 'E2E']],
    );
    const updated = await retryOnConflict(systemClock, async () => {
      const object = await client(namespaces).get(key);
      const conditions = [...(object.status?.conditions ?? []), condition('StatusUpdate')];
      return await client(namespaces).updateStatus({ ...object, status: { ...object.status, conditions } });
    });
    assert.deepEqual(
      updated.status?.conditions?.map(({ type }) => type),
      ['StatusPatch', 'StatusUpdate'],
    );
  },
});
