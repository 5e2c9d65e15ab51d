import assert from 'node:assert/strict';
import type { StrategyContext } from '../../../resource/resource-definition.ts';
import type { CustomResourceDefinition } from '../../../types/apiextensions-v1.ts';
import { formatFieldError } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { customResourceDefinitions } from './custom-resource-definition.ts';

const context = (operation: 'create' | 'update'): StrategyContext => ({
  nowMs: 0,
  operation,
  subresource: '',
  user: { name: 'a', groups: [] },
});

function crd(group = 'e.x', storedVersions = ['v1'], annotations: Record<string, string> = {}): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    metadata: { name: `ss.${group}`, annotations },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'ss', singular: 's', kind: 'S', listKind: 'SList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
    status: { storedVersions, acceptedNames: { plural: 'ss', kind: 'S' } },
  };
}

const created = (definition: CustomResourceDefinition) =>
  (customResourceDefinitions.validate?.(definition, FieldPath.root, context('create')) ?? []).map(formatFieldError);
const updated = (definition: CustomResourceDefinition, old: CustomResourceDefinition) =>
  [
    ...(customResourceDefinitions.validate?.(definition, FieldPath.root, context('update')) ?? []),
    ...(customResourceDefinitions.validateUpdate?.(definition, old, FieldPath.root, context('update')) ?? []),
  ].map(formatFieldError);

const page = 'see https://github.com/kubernetes/enhancements/pull/1111';

// Recorded from kube-apiserver v1.32.
describe('a CustomResourceDefinition', () => {
  it('is right', () => assert.deepEqual(created(crd()), []));

  it('has the name of its plural and group', () => {
    const definition = crd();
    definition.metadata.name = 'q.e.x';
    assert.deepEqual(created(definition), ['metadata.name: Invalid value: "q.e.x": must be spec.names.plural+"."+spec.group']);
    assert.deepEqual(updated(definition, definition), []);
  });

  const approvals: [string, string[]][] = [
    [
      '',
      [
        `metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", ${page}`,
      ],
    ],
    [
      'x',
      [
        `metadata.annotations[api-approved.kubernetes.io]: Invalid value: "x": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", ${page}`,
      ],
    ],
    ['unapproved, a try', []],
    ['https://github.com/kubernetes/enhancements/pull/1', []],
  ];
  for (const [text, errors] of approvals)
    it(`of a group of the community with the approval '${text}'`, () => {
      const annotations: Record<string, string> = text === '' ? {} : { 'api-approved.kubernetes.io': text };
      const definition = crd('a.k8s.io', ['v1'], annotations);
      assert.deepEqual(created(definition), errors);
      assert.deepEqual(updated(definition, definition), []);
      assert.deepEqual(updated(definition, crd('a.k8s.io', ['v1'], { 'api-approved.kubernetes.io': 'http://x/y' })), errors);
      assert.deepEqual(created(crd('k8s.io.example.com', ['v1'], annotations)), []);
    });

  it('keeps the versions in which objects may be stored', () => {
    const errors = updated(crd('e.x', ['v1', 'v2']), crd('e.x', ['v1', 'v2']));
    assert.deepEqual(errors, ['status.storedVersions[1]: Invalid value: "v2": must appear in spec.versions']);
  });

  it('has the first storage version among its stored ones, and no conditions yet', () => {
    const definition = crd('e.x', []);
    const version = { name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };
    definition.spec.versions.push(version);
    customResourceDefinitions.prepareForCreate?.(definition, context('create'));
    assert.deepEqual(definition.status, { storedVersions: ['v1'], acceptedNames: { plural: '', kind: '' }, conditions: null });
  });

  it('whose name is missing lacks nothing else in it', () => {
    const definition = crd();
    definition.metadata.name = '';
    assert.deepEqual(created(definition), []);
  });

  it('may have any of them struck out by its status', () => {
    const statusErrors = customResourceDefinitions.validateStatusUpdate?.(crd('e.x', ['v3']), crd(), FieldPath.root, context('update'));
    assert.deepEqual(statusErrors, []);
  });
});
