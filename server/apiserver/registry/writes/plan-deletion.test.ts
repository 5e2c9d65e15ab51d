import assert from 'node:assert/strict';
import { configMaps } from '../../../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { isDeletable, planDeletion } from './plan-deletion.ts';
import type { DeleteOptions } from './write-context.ts';

const nowMs = Date.parse('2026-01-01T00:00:30Z');
const plan = (definition: object, object: object, options: DeleteOptions = {}) =>
  planDeletion(definition as ResourceDefinition, object as UntypedObject, options, nowMs);
const running = (metadata: object = {}) => ({
  metadata,
  spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 },
  status: { phase: 'Running' },
});

describe('planDeletion', () => {
  it('removes what nothing holds', () => assert.deepEqual(plan(configMaps, { metadata: {} }), { kind: 'remove' }));

  const marked: [string, object, object, DeleteOptions, object][] = [
    [
      'an object with finalizers',
      configMaps,
      { metadata: { finalizers: ['a/b'], generation: 3 } },
      {},
      { finalizers: ['a/b'], generation: 4, deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 0 },
    ],
    ['a running Pod', pods, running(), {}, { deletionTimestamp: '2026-01-01T00:01:00Z', deletionGracePeriodSeconds: 30 }],
    [
      'a running Pod with a grace of its own',
      pods,
      running(),
      { gracePeriodSeconds: 5 },
      { deletionTimestamp: '2026-01-01T00:00:35Z', deletionGracePeriodSeconds: 5 },
    ],
    [
      'a shorter grace, counted from the first deletion',
      pods,
      running({ deletionTimestamp: '2026-01-01T00:00:50Z', deletionGracePeriodSeconds: 30 }),
      { gracePeriodSeconds: 20 },
      { deletionTimestamp: '2026-01-01T00:00:40Z', deletionGracePeriodSeconds: 20 },
    ],
    [
      'foreground deletion instead of orphaning',
      configMaps,
      { metadata: { finalizers: ['orphan'] } },
      { propagationPolicy: 'Foreground' },
      { finalizers: ['foregroundDeletion'], deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 0 },
    ],
  ];
  for (const [what, definition, object, options, metadata] of marked) {
    it(`marks ${what}`, () => assert.deepEqual(plan(definition, object, options), { kind: 'mark', metadata }));
  }
  it('marks a Namespace with content as Terminating', () =>
    assert.deepEqual(plan(namespaces, { metadata: {}, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }), {
      kind: 'mark',
      metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' },
      fields: { status: { phase: 'Terminating' } },
    }));
  it('waits for a Pod that is terminating already', () =>
    assert.deepEqual(
      plan(pods, running({ deletionTimestamp: '2026-01-01T00:00:50Z', deletionGracePeriodSeconds: 30 }), { gracePeriodSeconds: 40 }),
      {
        kind: 'wait',
      },
    ));
  it('removes a terminating Pod when the grace becomes 0', () =>
    assert.deepEqual(
      plan(pods, running({ deletionTimestamp: '2026-01-01T00:00:50Z', deletionGracePeriodSeconds: 30 }), { gracePeriodSeconds: 0 }),
      {
        kind: 'remove',
      },
    ));
});

describe('isDeletable', () => {
  const terminating = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const cases: [string, object, object, boolean][] = [
    ['not terminating', configMaps, { metadata: {} }, false],
    ['terminating', configMaps, { metadata: terminating }, true],
    ['with finalizers', configMaps, { metadata: { ...terminating, finalizers: ['a/b'] } }, false],
    ['within its grace', pods, { metadata: { ...terminating, deletionGracePeriodSeconds: 5 } }, false],
    ['a Namespace with content', namespaces, { metadata: terminating, spec: { finalizers: ['kubernetes'] } }, false],
    ['an empty Namespace', namespaces, { metadata: terminating, spec: {} }, true],
  ];
  for (const [what, definition, object, expected] of cases) {
    it(`${what}: ${expected}`, () => assert.equal(isDeletable(definition as ResourceDefinition, object as UntypedObject), expected));
  }
});
