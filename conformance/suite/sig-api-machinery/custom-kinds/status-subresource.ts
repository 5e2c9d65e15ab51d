import assert from 'node:assert/strict';
import { customResourceDefinitions } from '../../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { CustomResourceDefinition } from '../../../../api/types/apiextensions-v1.ts';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { createCustomKind } from './custom-kind-fixture.ts';

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works [Conformance]',
  release: 'v1.16',
  behavior: 'The status of a CustomResourceDefinition MUST be read, updated and patched through its subresource, and be kept.',
  async run(context) {
    const { client, request } = context;
    const schema = { openAPIV3Schema: { type: 'object' } };
    const { crd } = await createCustomKind(context, { versions: [{ name: 'v1', served: true, storage: true, schema }] });
    const name = crd.metadata.name ?? '';
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}/status`;
    const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'set by a test' });

    const read = await request('GET', path);
    assert.equal(read.status, 200, read.text);
    const conditions = (read.json() as CustomResourceDefinition).status?.conditions ?? [];
    const body = { status: { conditions: [...conditions, condition('StatusPatched')] } };
    const patched = await request('PATCH', path, { contentType: 'application/merge-patch+json', body });
    assert.equal(patched.status, 200, patched.text);

    const now = patched.json() as CustomResourceDefinition;
    const status = { ...now.status, conditions: [...(now.status?.conditions ?? []), condition('StatusUpdated')] };
    const updated = await request('PUT', path, { body: { ...now, spec: { ...now.spec, group: 'ignored' }, status } });
    assert.equal(updated.status, 200, updated.text);

    const { spec, status: kept } = await client(customResourceDefinitions).get({ namespace: '', name });
    assert.equal(spec.group, crd.spec.group);
    const types = kept?.conditions?.map(({ type }) => type) ?? [];
    assert.deepEqual(
      ['Established', 'StatusPatched', 'StatusUpdated'].filter((type) => !types.includes(type)),
      [],
    );
  },
});
