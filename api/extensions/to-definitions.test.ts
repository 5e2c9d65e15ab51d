import assert from 'node:assert/strict';
import type { KubeObject, UntypedObject } from '../meta/object.ts';
import type { ResourceDefinition } from '../resource/resource-definition.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps } from '../types/apiextensions-v1.ts';
import { toDefinitions, toStorageDefinition } from './to-definitions.ts';

const anyObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function version(name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion {
  return { name, served: true, storage: false, schema: { openAPIV3Schema: anyObject }, ...more };
}

function crdOf(...versions: CustomResourceDefinitionVersion[]): CustomResourceDefinition {
  return {
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
      versions,
    },
  };
}

const schemaWith = (properties: Record<string, JSONSchemaProps>) => ({ openAPIV3Schema: { type: 'object', properties } });

function definitionOf(definitions: readonly ResourceDefinition[], name: string): ResourceDefinition {
  const found = definitions.find((definition) => definition.version === name);
  assert.ok(found);
  return found;
}

const object = (apiVersion: string, fields: object): KubeObject =>
  ({ apiVersion, kind: 'CronTab', metadata: { name: 'a' }, ...fields }) as KubeObject;

describe('the definitions of a custom kind', () => {
  it('has one for each served version', () => {
    const definitions = toDefinitions(crdOf(version('v1', { storage: true }), version('v2', { served: false }), version('v3')));
    assert.deepEqual(
      definitions.map((definition) => [definition.version, definition.storageVersion?.version]),
      [
        ['v1', undefined],
        ['v3', 'v1'],
      ],
    );
    assert.equal(definitions[0]?.definition, 'com.example.stable.v1.CronTab');
    assert.equal(definitions[0]?.storagePrefix, 'stable.example.com/crontabs');
    assert.deepEqual(definitions[0]?.names, {
      kind: 'CronTab',
      plural: 'crontabs',
      singular: 'crontab',
      listKind: 'CronTabList',
      shortNames: ['ct'],
      categories: [],
    });
  });

  it('goes by the accepted names', () => {
    const crd = crdOf(version('v1', { storage: true }));
    crd.status = { acceptedNames: { plural: 'crontabs', singular: 'tab', kind: 'CronTab', listKind: 'Tabs' } };
    assert.deepEqual(toDefinitions(crd)[0]?.names, {
      kind: 'CronTab',
      plural: 'crontabs',
      singular: 'tab',
      listKind: 'Tabs',
      shortNames: [],
      categories: [],
    });
  });

  it('finds the version of storage though it is not served', () => {
    const crd = crdOf(version('v1'), version('v2', { storage: true, served: false }));
    assert.equal(toStorageDefinition(crd)?.version, 'v2');
    assert.deepEqual(definitionOf(toDefinitions(crd), 'v1').storageVersion, { group: 'stable.example.com', version: 'v2' });
  });

  it('shows the subresources', () => {
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
    const [definition] = toDefinitions(crdOf(version('v1', { storage: true, subresources: { status: {}, scale } })));
    const verbs = ['get', 'patch', 'update'];
    assert.deepEqual(definition?.subresources, {
      status: { kind: 'CronTab', verbs },
      scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs },
    });
    assert.deepEqual(definition?.scalePaths, { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas' });
  });

  it('keeps of each version what its schema specifies', () => {
    const [v1, v2] = toDefinitions(
      crdOf(
        version('v1', { storage: true, schema: schemaWith({ a: { type: 'string' }, b: { type: 'string' } }) }),
        version('v2', { schema: schemaWith({ b: { type: 'string' }, c: { type: 'string', default: 'x' } }) }),
      ),
    );
    const stored = v2?.convert?.toStorage(object('stable.example.com/v2', { b: '1', c: '2' }));
    assert.deepEqual(stored, { ...object('stable.example.com/v1', { b: '1' }), metadata: stored?.metadata });
    const served = v2?.convert?.fromStorage(object('stable.example.com/v1', { a: '1', b: '2' })) as UntypedObject;
    assert.deepEqual([served.apiVersion, served['a'], served['b'], served['c']], ['stable.example.com/v2', undefined, '2', undefined]);
    assert.equal(v1?.convert, undefined);
  });

  it('prunes and defaults stored objects by the schema of now', () => {
    const schema = schemaWith({ spec: { type: 'object', default: {}, properties: { size: { type: 'integer', default: 3 } } } });
    const definition = toStorageDefinition(crdOf(version('v1', { storage: true, schema })));
    const read = definition?.readStored?.(object('stable.example.com/v1', { gone: 1 })) as UntypedObject;
    assert.deepEqual([read['spec'], read['gone']], [{ size: 3 }, undefined]);
  });

  const warnings: [CustomResourceDefinitionVersion[], string][] = [
    [[version('v1beta1', { deprecated: true })], 'stable.example.com/v1beta1 CronTab is deprecated'],
    [
      [version('v1beta1', { deprecated: true }), version('v1'), version('v2', { served: false }), version('v1alpha1')],
      'stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab',
    ],
    [[version('v1beta1', { deprecated: true, deprecationWarning: 'go' })], 'go'],
  ];
  for (const [versions, warning] of warnings)
    it(`warns: ${warning}`, () => assert.equal(toDefinitions(crdOf(...versions))[0]?.deprecationWarning, warning));

  it('has no status on creation where that is a subresource', () => {
    const crd = crdOf(version('v1', { storage: true, subresources: { status: {} } }));
    const created = object('stable.example.com/v1', { status: { a: 1 } });
    toStorageDefinition(crd)?.prepareForCreate?.(created, {
      nowMs: 0,
      operation: 'create',
      subresource: '',
      user: { name: 'u', groups: [] },
    });
    assert.equal('status' in created, false);
  });
});
