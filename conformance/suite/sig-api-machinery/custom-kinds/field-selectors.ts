import assert from 'node:assert/strict';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { take } from '../../../framework/take.ts';
import { createCustomKind } from './custom-kind-fixture.ts';

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin] CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector [Conformance]',
  release: 'v1.32',
  behavior: 'Lists and watches of a custom kind MUST be selected by the fields that its definition names, and by no others.',
  async run(context) {
    const { client, namespace, request } = context;
    const properties = { host: { type: 'string' }, port: { type: 'integer' } };
    const { resource } = await createCustomKind(context, {
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } },
          selectableFields: [{ jsonPath: '.host' }, { jsonPath: '.port' }],
        },
      ],
    });
    const { metadata } = await client(resource).list({ namespace });
    const watch = client(resource).watch({ namespace, fieldSelector: 'host=one', resourceVersion: metadata.resourceVersion ?? '' });
    const seen = take(2, watch, { withinSeconds: 30 });
    for (const [name, host, port] of [
      ['a', 'one', 80],
      ['b', 'one', 8080],
      ['c', 'two', 80],
    ] as const)
      await client(resource).create({ apiVersion: `${resource.group}/v1`, kind: 'Foo', metadata: { namespace, name }, host, port });
    const namesOf = async (fieldSelector: string) =>
      (await client(resource).list({ namespace, fieldSelector })).items.map((item) => item.metadata.name);
    assert.deepEqual(await namesOf('host=one'), ['a', 'b']);
    assert.deepEqual(await namesOf('host=one,port=80'), ['a']);
    assert.deepEqual(await namesOf('host!=one'), ['c']);
    assert.deepEqual(
      (await seen).map(({ object }) => object.metadata.name),
      ['a', 'b'],
    );
    const other = await request('GET', `/apis/${resource.group}/v1/namespaces/${namespace}/foos`, { query: 'fieldSelector=other%3D1' });
    assert.equal(other.status, 400, other.text);
  },
});
