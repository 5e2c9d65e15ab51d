import assert from 'node:assert/strict';
import { customResourceDefinitions } from '../../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { waitFor } from '../../../framework/wait-for.ts';
import { createCustomKind } from './custom-kind-fixture.ts';

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works [Conformance]',
  release: 'v1.17',
  behavior: 'Defaults of a schema MUST be set in objects that are written, and in those that were stored before the schema had them.',
  async run(context) {
    const { client, namespace } = context;
    const schemaWith = (defaults: Readonly<Record<string, string>>) => ({
      openAPIV3Schema: {
        type: 'object',
        properties: Object.fromEntries(
          ['a', 'b'].map((name) => [name, { type: 'string', ...(defaults[name] ? { default: defaults[name] } : {}) }]),
        ),
      },
    });
    const versionsWith = (defaults: Readonly<Record<string, string>>) => [
      { name: 'v1', served: true, storage: true, schema: schemaWith(defaults) },
    ];
    const { crd, resource } = await createCustomKind(context, { versions: versionsWith({}) });
    const key = { namespace, name: 'one' };
    const created = await client(resource).create({ apiVersion: `${resource.group}/v1`, kind: 'Foo', metadata: key });
    assert.deepEqual([created['a'], created['b']], [undefined, undefined]);
    const patch = { type: 'merge', body: { spec: { versions: versionsWith({ a: 'A', b: 'B' }) } } } as const;
    await client(customResourceDefinitions).patch({ namespace: '', name: crd.metadata.name ?? '' }, patch);
    const read = await waitFor<UntypedObject>(
      'the default of an object that is stored',
      async () => {
        const object = await client(resource).get(key);
        return object['a'] === 'A' ? object : undefined;
      },
      { withinSeconds: 30 },
    );
    assert.equal(read['b'], 'B');
    const second = { apiVersion: `${resource.group}/v1`, kind: 'Foo', metadata: { namespace, name: 'two' }, b: 'own' };
    const written = await client(resource).create(second);
    assert.deepEqual([written['a'], written['b']], ['A', 'own']);
  },
});
