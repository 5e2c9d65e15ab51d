import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Watchers should be able to start watching from a specific resource version [Conformance]',
  release: 'v1.11',
  behavior: 'A watch opened at a past resourceVersion MUST deliver exactly the events after it, in order.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'watched' };
    const created = await client(configMaps).create({ metadata: key, data: { mutation: '0' } });
    const first = await client(configMaps).update({ ...created, data: { mutation: '1' } });
    const second = await client(configMaps).update({ ...first, data: { mutation: '2' } });
    await client(configMaps).delete(key);
    const resourceVersion = first.metadata.resourceVersion ?? '';
    const watch = client(configMaps).watch({ namespace, resourceVersion, fieldSelector: 'metadata.name=watched' });
    const events = await take(2, watch, { withinSeconds: 30 });
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.data?.['mutation']]),
      [
        ['MODIFIED', '2'],
        ['DELETED', '2'],
      ],
    );
    assert.equal(events[0]?.object.metadata.resourceVersion, second.metadata.resourceVersion);
  },
});
