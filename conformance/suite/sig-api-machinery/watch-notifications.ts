import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

const labelKey = 'watch-this-configmap';

export default conformanceTest({
  name: '[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]',
  release: 'v1.11',
  behavior:
    'Watches with label selectors A, B and A-or-B MUST each deliver ADDED, MODIFIED and DELETED of the objects that match, and of no others.',
  async run({ client, namespace }) {
    const { metadata } = await client(configMaps).list({ namespace });
    const watch = (labelSelector: string) =>
      client(configMaps).watch({ namespace, labelSelector, resourceVersion: metadata.resourceVersion ?? '' });
    const seen = Promise.all([
      take(4, watch(`${labelKey}=multiple-watchers-A`), { withinSeconds: 30 }),
      take(2, watch(`${labelKey}=multiple-watchers-B`), { withinSeconds: 30 }),
      take(6, watch(`${labelKey} in (multiple-watchers-A,multiple-watchers-B)`), { withinSeconds: 30 }),
    ]);
    const changes = async () => {
      const a = { namespace, name: 'configmap-a' };
      let object = await client(configMaps).create({ metadata: { ...a, labels: { [labelKey]: 'multiple-watchers-A' } } });
      for (const mutation of ['1', '2']) object = await client(configMaps).update({ ...object, data: { mutation } });
      await client(configMaps).delete(a);
      const b = { namespace, name: 'configmap-b' };
      await client(configMaps).create({ metadata: { ...b, labels: { [labelKey]: 'multiple-watchers-B' } } });
      await client(configMaps).delete(b);
    };
    const [[onlyA, onlyB, both]] = await Promise.all([seen, changes()]);
    const brief = (events: typeof onlyA) =>
      events.map(({ type, object }) => `${type} ${object.metadata.name} ${object.data?.['mutation'] ?? '-'}`);
    const ofA = ['ADDED configmap-a -', 'MODIFIED configmap-a 1', 'MODIFIED configmap-a 2', 'DELETED configmap-a 2'];
    const ofB = ['ADDED configmap-b -', 'DELETED configmap-b -'];
    assert.deepEqual([brief(onlyA), brief(onlyB), brief(both)], [ofA, ofB, [...ofA, ...ofB]]);
  },
});
