import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** A definition whose objects would have the keys of a built-in kind in the store. */
function definitionOf(group: string, plural: string, kind: string) {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'https://github.com/example/example/pull/1' } },
    spec: {
      ...{ group, scope: 'Cluster', names: { plural, kind, singular: kind.toLowerCase() } },
      versions: [{ name: 'v2', served: true, storage: true, schema }],
    },
  };
}

describe('custom kinds with the names of built-in ones', () => {
  let complete: CompleteServer;
  let api: APICaller;
  before(async () => {
    complete = await startCompleteServer();
    api = createAPICaller(complete.server.transport);
    // A definition that could be lost.
    assert.equal((await api.post(definitions, definitionOf('good.example.com', 'things', 'Thing'))).status, 201);
  });
  after(() => complete.close());

  for (const [group, plural, kind] of [
    ['apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition'],
    ['apiregistration.k8s.io', 'apiservices', 'APIService'],
  ] as const)
    it(`reach no object of these, and take none with them: ${plural}`, async () => {
      const own = `/apis/${group}/v1/${plural}`;
      const name = `${definitions}/${plural}.${group}`;
      assert.equal((await api.post(definitions, definitionOf(group, plural, kind))).status, 201);
      await eventually('the names are accepted', async () => {
        const { body } = await api.get<Definition>(name);
        return body.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true;
      });
      const names = async () => {
        const { body } = await api.get<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>(own);
        return body.items.map(({ metadata }) => metadata.name).filter((one) => one !== `${plural}.${group}`);
      };
      const before = await names();
      assert.equal((await api.get(`/apis/${group}/v2/${plural}`)).status, 404);
      const evil = { apiVersion: `${group}/v2`, kind, metadata: { name: 'evil' }, spec: {} };
      assert.equal((await api.post(`/apis/${group}/v2/${plural}`, evil)).status, 404);
      assert.equal((await api.delete(name)).status, 200);
      await eventually('the definition is gone', async () => (await api.get(name)).status === 404);
      assert.deepEqual(await names(), before);
      assert.ok(before.length > 0);
    });
});
