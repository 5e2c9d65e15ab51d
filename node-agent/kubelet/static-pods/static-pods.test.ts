import assert from 'node:assert/strict';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { planMirror } from './mirror-pods.ts';
import { parseManifest } from './parse-manifest.ts';
import { createStaticPods } from './static-pods.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const source = { file: '/manifests/web.yaml', nodeName: 'n1', nowMs };
const manifest = (spec: string, metadata = 'name: web') => `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec: {${spec}}\n`;
const plain = manifest('containers: [{name: c, image: nginx}]');

describe('manifests of static Pods', () => {
  it('become Pods of this node, with defaults', () => {
    const { metadata, spec, status } = parseManifest(plain, source);
    assert.deepEqual(
      [metadata.name, metadata.namespace, spec?.nodeName, spec?.restartPolicy, status],
      ['web-n1', 'default', 'n1', 'Always', undefined],
    );
    assert.match(metadata.uid ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(metadata.annotations, {
      'kubernetes.io/config.source': 'file',
      'kubernetes.io/config.seen': '2026-01-02T03:04:05Z',
      'kubernetes.io/config.hash': metadata.uid,
    });
    assert.deepEqual(spec?.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }]);
    assert.equal(spec?.containers?.[0]?.imagePullPolicy, 'Always');
  });

  it('are the same Pod at any time, and another one with any change', () => {
    const uid = (text: string, more = {}) => parseManifest(text, { ...source, ...more }).metadata.uid;
    assert.equal(uid(plain), uid(plain, { nowMs: nowMs + 5000 }));
    assert.equal(
      uid(plain),
      uid(
        JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'c', image: 'nginx' }] } }),
      ),
    );
    assert.notEqual(uid(plain), uid(manifest('containers: [{name: c, image: nginx:2}]')));
    assert.notEqual(uid(plain), uid(plain, { nodeName: 'n2' }));
    assert.notEqual(uid(plain), uid(plain, { file: '/manifests/other.yaml' }));
  });

  const refused: [string, string, RegExp][] = [
    ['another kind', 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n', /Service|kind/],
    ['no YAML', '{', /./],
    ['no name', manifest('containers: [{name: c, image: nginx}]', 'labels: {}'), /has no name/],
    ['no containers', manifest('containers: []'), /spec\.containers: Required value/],
    ['a ConfigMap', manifest('containers: [{name: c, image: i, envFrom: [{configMapRef: {name: x}}]}]'), /may not reference configmaps/],
    ['a Secret', manifest('containers: [{name: c, image: i}], volumes: [{name: v, secret: {secretName: x}}]'), /may not reference secrets/],
    ['an account', manifest('containers: [{name: c, image: i}], serviceAccountName: x'), /may not reference serviceaccounts/],
  ];
  for (const [name, text, problem] of refused) it(`are refused: ${name}`, () => assert.throws(() => parseManifest(text, source), problem));
});

describe('mirrors', () => {
  const staticPod: Pod = { metadata: { name: 'web-n1', uid: 'a' } };
  const mirrorOf = (hash: string, deletionTimestamp?: string): Pod => ({
    metadata: {
      name: 'web-n1',
      uid: 'm',
      annotations: { 'kubernetes.io/config.mirror': hash },
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
  });
  const cases: [string, Pod | undefined, Pod | undefined, string][] = [
    ['nothing at all', undefined, undefined, 'none'],
    ['a Pod without one', staticPod, undefined, 'create'],
    ['the right one', staticPod, mirrorOf('a'), 'none'],
    ['one of an older Pod', staticPod, mirrorOf('b'), 'delete'],
    ['one that somebody deletes', staticPod, mirrorOf('a', '2026-01-02T03:04:05Z'), 'delete'],
    ['one without a Pod', undefined, mirrorOf('a'), 'delete'],
  ];
  for (const [name, pod, mirror, expected] of cases) it(name, () => assert.equal(planMirror(pod, mirror), expected));
});

describe('static Pods', () => {
  function setUp() {
    const said: string[] = [];
    const statics = createStaticPods({
      start: ({ metadata }) => void said.push(`start ${metadata.uid}`),
      stop: (uid) => void said.push(`stop ${uid}`),
      onMirror: (uid, mirror) => void said.push(`${uid} shown as ${mirror?.metadata.uid ?? 'nothing'}`),
      mirrors: { check: (key) => void said.push(`check ${key}`) },
    });
    const take = () => said.splice(0).join(', ');
    return { statics, take };
  }
  const podOf = (uid: string, name = 'web'): DeepReadonly<Pod> => ({ metadata: { namespace: 'default', name, uid } });
  const mirrorOf = (uid: string, hash: string): DeepReadonly<Pod> => ({
    metadata: { namespace: 'default', name: 'web', uid, annotations: { 'kubernetes.io/config.mirror': hash } },
  });

  it('begin at once, and another one of the name when the first has ended', () => {
    const { statics, take } = setUp();
    statics.set([podOf('a')]);
    assert.equal(take(), 'start a, check default/web');
    statics.set([podOf('b')]);
    assert.equal(take(), 'stop a');
    assert.equal(statics.find('default/web')?.metadata.uid, 'a');
    statics.removed('a');
    assert.equal(take(), 'check default/web, start b, check default/web');
    statics.set([]);
    statics.removed('b');
    assert.equal(take(), 'stop b, check default/web');
    assert.equal(statics.find('default/web'), undefined);
  });

  it('are told of their own mirror only', () => {
    const { statics, take } = setUp();
    statics.mirrorSeen(mirrorOf('m0', 'old'));
    statics.set([podOf('a')]);
    assert.equal(take(), 'check default/web, start a, a shown as nothing, check default/web');
    statics.mirrorGone(mirrorOf('m0', 'old'));
    statics.mirrorSeen(mirrorOf('m1', 'a'));
    assert.equal(take(), 'a shown as nothing, check default/web, a shown as m1, check default/web');
    statics.mirrorGone(mirrorOf('m0', 'old'));
    assert.equal(take(), '', 'that one was gone already');
  });
});
