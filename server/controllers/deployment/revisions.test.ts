import assert from 'node:assert/strict';
import type { Deployment, ReplicaSet } from '../../../api/types/apps-v1.ts';
import { annotationKeys, annotationsOfNewSet, isSameTemplate, setsToClean } from './revisions.ts';

describe('annotationsOfNewSet', () => {
  const deployment: Deployment = {
    metadata: {
      annotations: {
        'kubernetes.io/change-cause': 'because',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        [annotationKeys.revision]: '7',
      },
    },
  };

  it('copies the annotations that say something about the template', () => {
    assert.deepEqual(annotationsOfNewSet(deployment, {}, 2n), {
      'kubernetes.io/change-cause': 'because',
      [annotationKeys.revision]: '2',
    });
  });

  it('keeps the history of a set that becomes the newest again', () => {
    const present = { [annotationKeys.revision]: '3', [annotationKeys.revisionHistory]: '1' };
    const annotations = annotationsOfNewSet(deployment, present, 5n);
    assert.equal(annotations[annotationKeys.revision], '5');
    assert.equal(annotations[annotationKeys.revisionHistory], '1,3');
  });

  it('does not go back', () => {
    assert.equal(annotationsOfNewSet(deployment, { [annotationKeys.revision]: '9' }, 5n)[annotationKeys.revision], '9');
  });

  it('cuts a long history at its front', () => {
    const long = Array.from({ length: 700 }, (_, index) => index + 100).join(',');
    const present = { [annotationKeys.revision]: '800', [annotationKeys.revisionHistory]: long };
    const history = annotationsOfNewSet(deployment, present, 900n)[annotationKeys.revisionHistory] ?? '';
    assert.ok(history.length <= 2000 && history.length > 1990);
    assert.ok(history.endsWith(',799,800'));
  });
});

describe('isSameTemplate', () => {
  const template = (labels?: Record<string, string>) => ({ ...(labels ? { metadata: { labels } } : {}), spec: { containers: [] } });
  const table: [boolean, Record<string, string> | undefined, Record<string, string> | undefined][] = [
    [true, { app: 'web' }, { app: 'web', 'pod-template-hash': 'x' }],
    [true, undefined, { 'pod-template-hash': 'x' }],
    [false, { app: 'web' }, { app: 'db' }],
  ];
  for (const [expected, a, b] of table) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.equal(isSameTemplate(template(a), template(b)), expected));
  }
});

describe('setsToClean', () => {
  const set = (revision: number, rest: Partial<ReplicaSet> = {}): ReplicaSet => ({
    metadata: { name: `r${revision}`, annotations: { [annotationKeys.revision]: String(revision) } },
    spec: { replicas: 0, selector: {} },
    status: { replicas: 0 },
    ...rest,
  });
  const deployment = (revisionHistoryLimit: number): Deployment => ({
    metadata: {},
    spec: { selector: {}, template: {}, revisionHistoryLimit },
  });

  it('lets the oldest revisions go', () => {
    assert.deepEqual(
      setsToClean(deployment(1), [set(3), set(1), set(2)]).map(({ metadata }) => metadata.name),
      ['r1', 'r2'],
    );
  });
  it('keeps those that still have Pods', () => {
    const busy = set(1, { status: { replicas: 1 } });
    assert.deepEqual(
      setsToClean(deployment(0), [busy, set(2)]).map(({ metadata }) => metadata.name),
      ['r2'],
    );
  });
  it('keeps all below the limit', () => assert.deepEqual(setsToClean(deployment(10), [set(1)]), []));
});
