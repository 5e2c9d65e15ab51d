import assert from 'node:assert/strict';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import { findDefinitionSchema } from '../schema/definition-schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

type JSONObject = Record<string, unknown>;

function apply(definition: string, object: JSONObject, patch: JSONObject): JSONObject {
  return applyStrategicMergePatch(deepFreeze(object), deepFreeze(patch), findDefinitionSchema(definition));
}

const pod = 'io.k8s.api.core.v1.PodSpec';
const a = { name: 'a', image: 'a:1' };
const b = { name: 'b', image: 'b:1' };
const c = { name: 'c', image: 'c:1' };

describe('strategic merge patch', () => {
  const cases: [string, string, JSONObject, JSONObject, JSONObject][] = [
    [
      'merges lists by key',
      pod,
      { containers: [a, b] },
      { containers: [{ name: 'b', image: 'b:2' }] },
      { containers: [a, { name: 'b', image: 'b:2' }] },
    ],
    ['puts new elements before those it does not name', pod, { containers: [a] }, { containers: [b] }, { containers: [b, a] }],
    ['deletes elements', pod, { containers: [a, b] }, { containers: [{ name: 'a', $patch: 'delete' }] }, { containers: [b] }],
    ['replaces a list', pod, { containers: [a, b] }, { containers: [{ $patch: 'replace' }, c] }, { containers: [c] }],
    [
      'replaces a map',
      pod,
      { nodeSelector: { x: '1', y: '2' } },
      { nodeSelector: { $patch: 'replace', z: '3' } },
      { nodeSelector: { z: '3' } },
    ],
    ['empties a map', pod, { securityContext: { runAsUser: 1 } }, { securityContext: { $patch: 'delete' } }, { securityContext: {} }],
    ['deletes members', pod, { nodeSelector: { x: '1', y: '2' } }, { nodeSelector: { x: null } }, { nodeSelector: { y: '2' } }],
    [
      'drops nulls and directives from what is new',
      pod,
      {},
      { nodeSelector: { x: null, y: '1' }, containers: [a, { name: 'b', $patch: 'delete' }], affinity: { $patch: 'delete' } },
      { nodeSelector: { y: '1' }, containers: [a] },
    ],
    [
      'orders elements',
      pod,
      { containers: [a, b, c] },
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
      { containers: [c, b, a] },
    ],
    [
      'keeps unnamed elements where they were',
      pod,
      { containers: [a, { name: 'x' }, b] },
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }, { name: 'b' }], containers: [c] },
      { containers: [a, c, { name: 'x' }, b] },
    ],
    [
      'merges nested lists',
      pod,
      { containers: [{ ...a, ports: [{ containerPort: 80, name: 'web' }] }] },
      { containers: [{ name: 'a', ports: [{ containerPort: 443 }, { containerPort: 80, name: 'http' }] }] },
      { containers: [{ ...a, ports: [{ containerPort: 443 }, { containerPort: 80, name: 'http' }] }] },
    ],
    ['replaces atomic lists', pod, { tolerations: [{ key: 'x' }] }, { tolerations: [{ key: 'y' }] }, { tolerations: [{ key: 'y' }] }],
    [
      'keeps only retained keys',
      'io.k8s.api.apps.v1.DeploymentSpec',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
    [
      'keeps only retained keys of a volume',
      pod,
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    ],
    [
      'merges lists of primitives as sets',
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
      { finalizers: ['a/x', 'a/y'] },
      { finalizers: ['a/z', 'a/y'] },
      { finalizers: ['a/z', 'a/x', 'a/y'] },
    ],
    [
      'deletes from lists of primitives',
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
      { finalizers: ['a/x', 'a/y'] },
      { '$deleteFromPrimitiveList/finalizers': ['a/x', 'a/z'] },
      { finalizers: ['a/y'] },
    ],
    [
      'orders lists of primitives',
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
      { finalizers: ['a/x', 'a/y', 'a/z'] },
      { '$setElementOrder/finalizers': ['a/z', 'a/x'], '$deleteFromPrimitiveList/finalizers': ['a/y'] },
      { finalizers: ['a/z', 'a/x'] },
    ],
  ];
  for (const [name, definition, object, patch, expected] of cases) {
    it(name, () => assert.deepEqual(apply(definition, object, patch), expected));
  }

  const bad: [string, JSONObject, JSONObject, string, string][] = [
    [
      'no merge key',
      { containers: [a] },
      { containers: [{ image: 'x' }] },
      'unexpected',
      'map: map[image:x] does not contain declared merge key: name',
    ],
    [
      'no directive',
      { nodeSelector: { x: '1' } },
      { nodeSelector: { $patch: 'spam' } },
      'unexpected',
      'unknown patch type: spam in map: map[$patch:spam]',
    ],
    [
      'merge in a list',
      { containers: [a] },
      { containers: [{ $patch: 'merge', name: 'a' }] },
      'unexpected',
      'merging lists cannot yet be specified in the patch',
    ],
    [
      'retainKeys that lack a field',
      { nodeSelector: { x: '1' } },
      { nodeSelector: { $retainKeys: ['y'], x: '2' } },
      'malformed',
      'invalid patch format of retainKeys',
    ],
    ['a deletion without a list', {}, { $deleteFromPrimitiveList: [] }, 'malformed', 'invalid patch format of primitive list'],
    ['an order without a list', {}, { $setElementOrder: [] }, 'malformed', 'invalid patch format of setElementOrder list'],
    [
      'mixed elements',
      { containers: [a] },
      { containers: ['x'] },
      'unexpected',
      'list element types are not identical: [[map[image:a:1 name:a]] [x]]',
    ],
    [
      'an order that the patch contradicts',
      { containers: [a] },
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [b, a] },
      'unexpected',
      "The order in patch list:\n[map[image:b:1 name:b] map[image:a:1 name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]\n",
    ],
  ];
  for (const [name, object, patch, reason, message] of bad) {
    it(`refuses ${name}`, () => assert.throws(() => apply(pod, object, patch), { reason, message }));
  }

  it('takes __proto__ as data', () => {
    const patch = JSON.parse('{"nodeSelector":{"__proto__":"x","constructor":"y"}}') as JSONObject;
    assert.equal(
      JSON.stringify(apply(pod, { nodeSelector: { z: '1' } }, patch)),
      '{"nodeSelector":{"z":"1","__proto__":"x","constructor":"y"}}',
    );
  });
});
