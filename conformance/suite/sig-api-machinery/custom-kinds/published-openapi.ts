import assert from 'node:assert/strict';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { waitFor } from '../../../framework/wait-for.ts';
import { createCustomKind } from './custom-kind-fixture.ts';

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD with validation schema [Conformance]',
  release: 'v1.16',
  behavior: 'The schema of a custom kind MUST be published as OpenAPI, so that kubectl explains its fields and refuses unknown ones.',
  async run(context) {
    const { kubectl, namespace } = context;
    const bars = {
      type: 'array',
      description: 'List of Bars and their specs.',
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string', description: 'Name of Bar.' } } },
    };
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        description: 'Foo CRD for Testing',
        properties: { spec: { type: 'object', description: 'Specification of Foo', properties: { bars } } },
      },
    };
    const { resource } = await createCustomKind(context, { versions: [{ name: 'v1', served: true, storage: true, schema }] });
    const type = `foos.${resource.group}`;
    const explained = await waitFor(
      'the schema to be published',
      async () => {
        const { code, stdout } = await kubectl('explain', type);
        return code === 0 ? stdout : undefined;
      },
      { withinSeconds: 60 },
    );
    assert.match(explained, /Foo CRD for Testing/);
    for (const [field, text] of [
      ['spec', /Specification of Foo/],
      ['spec.bars', /List of Bars and their specs\./],
      ['spec.bars.name', /Name of Bar\./],
    ] as const)
      assert.match((await kubectl('explain', `${type}.${field}`)).stdout, text);
    const missing = await kubectl('explain', `${type}.spec.bars2`);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /field "bars2" does not exist/);

    const create = async (spec: object) => {
      const body = JSON.stringify({ apiVersion: `${resource.group}/v1`, kind: 'Foo', metadata: { name: 'foo', namespace }, spec });
      return await context.request('POST', `/apis/${resource.group}/v1/namespaces/${namespace}/foos`, {
        query: 'fieldValidation=Strict',
        body,
      });
    };
    const refused = await create({ bars: [{ age: '10' }] });
    assert.equal(refused.status, 400, refused.text);
    assert.match(refused.text, /unknown field \\"spec\.bars\[0\]\.age\\"/);
    const invalid = await create({ bars: [{}] });
    assert.equal(invalid.status, 422, invalid.text);
    assert.match(invalid.text, /spec\.bars\[0\]\.name: Required value/);
    const created = await create({ bars: [{ name: 'test-bar' }] });
    assert.equal(created.status, 201, created.text);
  },
});
