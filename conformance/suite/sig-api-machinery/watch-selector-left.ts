import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

const labelKey = 'watch-this-configmap';

export default conformanceTest({
  name: '[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]',
  release: 'v1.11',
  behavior:
    'When an object no longer matches the selector of a watch, the watch MUST deliver DELETED; when it matches again, ADDED; changes in between MUST NOT be delivered.',
  async run({ client, namespace }) {
    const key = { namespace, name: 'label-changed' };
    const { metadata } = await client(configMaps).list({ namespace });
    const watch = client(configMaps).watch({
      namespace,
      labelSelector: `${labelKey}=label-changed-and-restored`,
      resourceVersion: metadata.resourceVersion ?? '',
    });
    const seen = take(5, watch, { withinSeconds: 30 });
    const label = (value: string) => ({ [labelKey]: value });
    let object = await client(configMaps).create({ metadata: { ...key, labels: label('label-changed-and-restored') } });
    const update = async (labels: Record<string, string>, mutation: string) => {
      object = await client(configMaps).update({ ...object, metadata: { ...object.metadata, labels }, data: { mutation } });
    };
    await update(label('label-changed-and-restored'), '1');
    await update(label('wrong-value'), '1');
    await update(label('wrong-value'), '2');
    await update(label('label-changed-and-restored'), '2');
    await client(configMaps).delete(key);
    assert.deepEqual(
      (await seen).map(({ type, object: { data } }) => [type, data?.['mutation']]),
      [
        ['ADDED', undefined],
        ['MODIFIED', '1'],
        ['DELETED', '1'],
        ['ADDED', '2'],
        ['DELETED', '2'],
      ],
    );
  },
});
