import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { customResourceDefinitions } from '../../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { runThroughLifecycle } from '../../../framework/crud-lifecycle.ts';
import { waitFor } from '../../../framework/wait-for.ts';
import { createCustomKind } from './custom-kind-fixture.ts';

export default conformanceTest({
  name: '[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works [Conformance]',
  release: 'v1.9',
  behavior:
    'A CustomResourceDefinition MUST add its kind to the API, with all verbs on its objects, and take the kind away when it is deleted.',
  async run(context) {
    const { client, namespace, request } = context;
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const { crd, resource } = await createCustomKind(context, { versions: [{ name: 'v1', served: true, storage: true, schema }] });
    const kind = { apiVersion: `${resource.group}/v1`, kind: 'Foo' };
    await runThroughLifecycle({
      client,
      resource,
      namespace,
      label: 'foo',
      make: (metadata) => ({ ...kind, metadata, any: { thing: 1 } }),
    });
    await client(resource).create({ ...kind, metadata: { namespace, name: 'last' } });
    const key = { namespace: '', name: crd.metadata.name ?? '' };
    await client(customResourceDefinitions).delete(key);
    await waitFor(
      'the definition to be gone',
      async () => (await ignoreNotFound(client(customResourceDefinitions).get(key))) === undefined,
      { withinSeconds: 60 },
    );
    await waitFor('the kind to be gone', async () => (await request('GET', `/apis/${resource.group}/v1/foos`)).status === 404, {
      withinSeconds: 30,
    });
    assert.equal((await request('GET', `/apis/${resource.group}`)).status, 404);
  },
});
