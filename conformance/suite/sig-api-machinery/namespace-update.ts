import assert from 'node:assert/strict';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]',
  release: 'v1.26',
  behavior: 'A Namespace MUST be updated, and show the new label.',
  async run({ client, namespace }) {
    const updated = await retryOnConflict(systemClock, async () => {
      const object = await client(namespaces).get({ namespace: '', name: namespace });
      const labels = { ...object.metadata.labels, [namespace]: 'updated' };
      return await client(namespaces).update({ ...object, metadata: { ...object.metadata, labels } });
    });
    assert.equal(updated.metadata.labels?.[namespace], 'updated');
  },
});
