import assert from 'node:assert/strict';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { createOpenAPIDocuments } from '../../control-plane/openapi-documents.ts';
import { withCustomKinds } from './publish-kinds.ts';
import { cronTabDefinition, cronTabVersion } from './testing/cron-tabs.ts';

const established = { conditions: [{ type: 'Established', status: 'True' }] };
const define = (changes: Parameters<typeof cronTabDefinition>[0] = {}, status: object = established) =>
  ({ ...cronTabDefinition(changes), status }) as unknown as CustomResourceDefinition;
const name = 'apis/stable.example.com/v1';

describe('OpenAPI documents of custom kinds', () => {
  const builtIn = createOpenAPIDocuments();
  const known = new Map<string, CustomResourceDefinition>();
  const documents = withCustomKinds(builtIn, known);
  const hashOf = async (wanted: string) => (await documents.list()).find((one) => one.name === wanted)?.hash;
  const read = async (wanted: string) =>
    JSON.parse(new TextDecoder().decode(await documents.read(wanted))) as {
      paths: Record<string, object>;
      definitions: Record<string, object>;
      components: { schemas: Record<string, object> };
    };
  beforeEach(() => known.clear());

  it('are those of built-in kinds where there are no others', async () => {
    known.set('a', define({}, {}));
    assert.deepEqual(await documents.list(), await builtIn.list());
  });

  it('show each version in a document of its own', async () => {
    known.set(
      'a',
      define({
        spec: { versions: [cronTabVersion('v1', { storage: true }), cronTabVersion('v2'), cronTabVersion('v3', { served: false })] },
      }),
    );
    assert.deepEqual(
      (await documents.list()).map((one) => one.name).filter((one) => one.includes('example')),
      [name, 'apis/stable.example.com/v2'],
    );
    const { paths, components } = await read(name);
    assert.ok(paths['/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/scale']);
    assert.ok(components.schemas['com.example.stable.v1.CronTab']);
    assert.ok(components.schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']);
  });

  it('are in the document of all kinds', async () => {
    known.set('a', define());
    const { paths, definitions } = await read('v2');
    assert.ok(paths['/apis/stable.example.com/v1/crontabs'] && paths['/api/v1/pods']);
    assert.ok(definitions['com.example.stable.v1.CronTabList'] && definitions['io.k8s.api.core.v1.Pod']);
  });

  it('have other hashes when a definition has changed, and the same on every server', async () => {
    known.set('a', define());
    const [own, all] = [await hashOf(name), await hashOf('v2')];
    known.set('a', define());
    assert.deepEqual([await hashOf(name), await hashOf('v2')], [own, all]);
    known.set('a', define({ version: { deprecated: true } }));
    assert.notEqual(await hashOf(name), own);
    assert.notEqual(await hashOf('v2'), all);
    assert.equal(await hashOf('apis/apps/v1'), (await builtIn.list()).find((one) => one.name === 'apis/apps/v1')?.hash);
  });
});
