import assert from 'node:assert/strict';
import { defineResource } from '../../../api/resource/define-resource.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { createResourceCatalog } from './resource-catalog.ts';

const define = (group: string, plural: string): ResourceDefinition =>
  defineResource({ group, version: 'v1', scope: 'Namespaced', names: { kind: 'K', plural }, definition: '' });

describe('the catalog of served kinds', () => {
  const pods = define('', 'pods');
  const widgets = define('example.com', 'widgets');
  const gadgets = define('example.com', 'gadgets');

  it('finds kinds that came, and those that went no more', () => {
    const catalog = createResourceCatalog([pods]);
    const before = catalog.snapshot;
    catalog.replace(new Map([['widgets.example.com', [widgets]]]));
    assert.equal(catalog.snapshot.find('example.com', 'v1', 'widgets'), widgets);
    assert.deepEqual([...catalog.snapshot.builtInGroups], ['']);
    assert.equal(before.find('example.com', 'v1', 'widgets'), undefined);
    catalog.replace(new Map([['widgets.example.com', []]]));
    assert.equal(catalog.snapshot.find('example.com', 'v1', 'widgets'), undefined);
    assert.deepEqual(catalog.snapshot.definitions, [pods]);
  });

  const api = (version: string, kind: string, plural: string, storagePrefix: string): ResourceDefinition =>
    defineResource({ group: 'a.k8s.io', version, scope: 'Cluster', names: { kind, plural }, definition: '', storagePrefix });
  const builtIn = api('v1', 'Thing', 'things', 'a.k8s.io/stored');
  for (const [what, custom] of Object.entries({
    path: api('v1', 'Other', 'things', 'a.k8s.io/other'),
    'path in another version': api('v2', 'Other', 'things', 'a.k8s.io/other'),
    kind: api('v1', 'Thing', 'others', 'a.k8s.io/other'),
    'place in the store': api('v1', 'Other', 'others', 'a.k8s.io/stored'),
  }))
    it(`leaves out a kind that has the ${what} of a built-in one`, () => {
      const catalog = createResourceCatalog([builtIn]);
      const beside = api('v1', 'Other', 'others', 'a.k8s.io/others');
      catalog.replace(new Map([['things.a.k8s.io', [custom, beside]]]));
      assert.deepEqual(catalog.snapshot.definitions, [builtIn, beside]);
      assert.deepEqual([catalog.isShadowed(custom), catalog.isShadowed(beside)], [true, false]);
      assert.equal(catalog.snapshot.find('a.k8s.io', 'v1', 'things'), builtIn);
    });

  it('replaces what one source gave and leaves what others did', () => {
    const catalog = createResourceCatalog([pods]);
    catalog.replace(new Map([['a', [widgets]]]));
    catalog.replace(new Map([['b', [gadgets]]]));
    const changed = define('example.com', 'widgets');
    catalog.replace(new Map([['a', [changed]]]));
    assert.deepEqual(catalog.snapshot.definitions, [pods, changed, gadgets]);
  });

  it('keeps the snapshot and tells nobody where nothing changes', () => {
    const catalog = createResourceCatalog([pods]);
    let calls = 0;
    const stop = catalog.onChange(() => calls++);
    catalog.replace(new Map([['a', [widgets]]]));
    const { snapshot } = catalog;
    catalog.replace(new Map([['a', [widgets]]]));
    catalog.replace(new Map([['b', []]]));
    assert.equal(catalog.snapshot, snapshot);
    assert.equal(calls, 1);
    stop();
    catalog.replace(new Map([['a', []]]));
    assert.equal(calls, 1);
  });
});
