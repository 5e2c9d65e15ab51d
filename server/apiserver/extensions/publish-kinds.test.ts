import assert from 'node:assert/strict';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { encodeOpenAPI } from '../../../api/serialization/openapi/encode-openapi.ts';
import { createLargeTasks } from '../registry/large-objects/large-tasks.ts';
import type { LargeWork } from '../registry/large-objects/large-work.ts';
import { createOpenAPIDocuments } from '../../control-plane/openapi-documents.ts';
import { createOpenAPIWork } from './openapi-work.ts';
import { withCustomKinds } from './publish-kinds.ts';
import { cronTabDefinition, cronTabVersion } from './testing/cron-tabs.ts';

const established = { conditions: [{ type: 'Established', status: 'True' }] };
let resourceVersion = '7';
const definitionWith = (changes: Parameters<typeof cronTabDefinition>[0] = {}, status: object = established) =>
  ({
    ...cronTabDefinition(changes),
    metadata: { name: 'crontabs.stable.example.com', uid: 'u', resourceVersion },
    status,
  }) as unknown as CustomResourceDefinition;
const name = 'apis/stable.example.com/v1';

describe('OpenAPI documents of custom kinds', () => {
  const builtIn = createOpenAPIDocuments();
  const known = new Map<string, CustomResourceDefinition>();
  let revision = 0;
  const define = (...[changes, status]: Parameters<typeof definitionWith>) => {
    revision++;
    known.set('a', definitionWith(changes, status));
  };
  const documents = withCustomKinds(
    builtIn,
    { known, revision: () => revision },
    createOpenAPIWork(undefined, () => 0),
  );
  const hashOf = async (wanted: string) => (await documents.list()).find((one) => one.name === wanted)?.hash;
  const read = async (wanted: string) =>
    JSON.parse(new TextDecoder().decode(await documents.read(wanted))) as {
      paths: Record<string, object>;
      definitions: Record<string, object>;
      components: { schemas: Record<string, object> };
    };
  beforeEach(() => known.clear());

  it('are those of built-in kinds where there are no others', async () => {
    define({}, {});
    assert.deepEqual(await documents.list(), await builtIn.list());
  });

  it('show each version in a document of its own', async () => {
    define({
      spec: { versions: [cronTabVersion('v1', { storage: true }), cronTabVersion('v2'), cronTabVersion('v3', { served: false })] },
    });
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
    define();
    const { paths, definitions } = await read('v2');
    assert.ok(paths['/apis/stable.example.com/v1/crontabs'] && paths['/api/v1/pods']);
    assert.ok(definitions['com.example.stable.v1.CronTabList'] && definitions['io.k8s.api.core.v1.Pod']);
  });

  it('have other hashes when a definition has changed, and the same on every server', async () => {
    define();
    const [own, all] = [await hashOf(name), await hashOf('v2')];
    define();
    assert.deepEqual([await hashOf(name), await hashOf('v2')], [own, all]);
    resourceVersion = '8';
    define({ version: { deprecated: true } });
    assert.notEqual(await hashOf(name), own);
    assert.notEqual(await hashOf('v2'), all);
    assert.equal(await hashOf('apis/apps/v1'), (await builtIn.list()).find((one) => one.name === 'apis/apps/v1')?.hash);
  });

  const addOther = (group: string, kind = 'Other') => {
    revision++;
    const plural = `${kind.toLowerCase()}s`;
    const names = { plural, singular: '', kind, listKind: `${kind}List`, shortNames: [], categories: [] };
    known.set(`${plural}.${group}`, definitionWith({ names, spec: { group } }));
  };

  it('of all kinds are the same whether they are made anew or from the last ones', async () => {
    define();
    await documents.read('v2');
    addOther('b.example.com');
    await documents.read('v2');
    addOther('c.example.com');
    known.delete('others.b.example.com');
    const again = await documents.read('v2');
    const anew = withCustomKinds(
      builtIn,
      { known, revision: () => revision },
      createOpenAPIWork(undefined, () => 0),
    );
    assert.ok(Buffer.compare(again, await anew.read('v2')) === 0);
    const { paths } = await read('v2');
    assert.ok(paths['/apis/c.example.com/v1/others'] && !paths['/apis/b.example.com/v1/others']);
  });

  it('make nothing of a definition a second time', async () => {
    const work = createOpenAPIWork(undefined, () => 0);
    const made: string[] = [];
    const counting = withCustomKinds(
      builtIn,
      { known, revision: () => revision },
      {
        ...work,
        members(one, parameters) {
          made.push(one.crd.spec.group);
          return work.members(one, parameters);
        },
      },
    );
    define();
    await counting.read('v2');
    addOther('b.example.com');
    await counting.read('v2');
    await counting.read('v2');
    assert.deepEqual(made, ['stable.example.com', 'b.example.com']);
  });

  it('name nothing twice where a kind would have the name of a built-in one', async () => {
    addOther('core.api.k8s.io', 'Pod');
    const text = new TextDecoder().decode(await documents.read('v2'));
    assert.equal(text.split('"io.k8s.api.core.v1.Pod":').length, 2);
  });

  it('are made the same in another thread, where a definition is large', async () => {
    define();
    addOther('b.example.com');
    const perform = createLargeTasks([], () => 0);
    const tasks: string[] = [];
    const largeWork: LargeWork = {
      async run(task) {
        tasks.push(task.kind);
        return structuredClone(perform(structuredClone(task)));
      },
      nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    };
    const elsewhere = withCustomKinds(
      builtIn,
      { known, revision: () => revision },
      createOpenAPIWork(largeWork, () => 1_000_000),
    );
    for (const wanted of ['v2', name]) assert.ok(Buffer.compare(await elsewhere.read(wanted), await documents.read(wanted)) === 0);
    const json = await documents.read(name);
    const encoded = await elsewhere.encode?.('v3', Buffer.concat([json, Buffer.alloc(100_000, ' ')]));
    assert.ok(encoded && Buffer.compare(encoded, encodeOpenAPI('v3', json)) === 0);
    assert.deepEqual(tasks, ['openapi-members', 'openapi-members', 'openapi-document', 'openapi-protobuf']);
  });
});
