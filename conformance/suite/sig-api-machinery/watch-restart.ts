import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]',
  release: 'v1.11',
  behavior: 'A watch reopened at the resourceVersion of the last event seen MUST deliver every event since, none twice.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'watch-closed' };
    const { metadata } = await client(configMaps).list({ namespace });
    const watch = (resourceVersion = '') =>
      client(configMaps).watch({ namespace, resourceVersion, fieldSelector: 'metadata.name=watch-closed' });
    const seen = take(2, watch(metadata.resourceVersion), { withinSeconds: 30 });
    const created = await client(configMaps).create({ metadata: key });
    const first = await client(configMaps).update({ ...created, data: { mutation: '1' } });
    const before = await seen;
    // The watch is closed now; the next changes happen without a watch.
    await client(configMaps).update({ ...first, data: { mutation: '2' } });
    await client(configMaps).delete(key);
    const after = await take(2, watch(before.at(-1)?.object.metadata.resourceVersion), { withinSeconds: 30 });
    assert.deepEqual(
      [...before, ...after].map(({ type, object }) => [type, object.data?.['mutation']]),
      [
        ['ADDED', undefined],
        ['MODIFIED', '1'],
        ['MODIFIED', '2'],
        ['DELETED', '2'],
      ],
    );
  },
});
