import assert from 'node:assert/strict';
import { answerConversion, convert, pagesAnnotation } from './conversion.ts';
import type { Website, WebsiteV1alpha1 } from './website.ts';

const [oldVersion, newVersion] = ['web.example.com/v1alpha1', 'web.example.com/v1'];
const metadata = { name: 'a', namespace: 'b', annotations: { mine: 'x' } };
const image = 'nginx';
const old: WebsiteV1alpha1 = {
  apiVersion: oldVersion,
  kind: 'Website',
  metadata,
  spec: { domain: 'a.b', instances: 2, image, html: 'front' },
};
const website: Website = {
  apiVersion: newVersion,
  kind: 'Website',
  metadata,
  spec: { host: 'a.b', replicas: 2, image, pages: { 'index.html': 'front', 'more.html': 'more' } },
  status: { replicas: 1 },
};

describe('conversion of Websites', () => {
  it('names the fields as the other version does', () => {
    assert.deepEqual((convert(old, newVersion) as Website).spec, { host: 'a.b', replicas: 2, image, pages: { 'index.html': 'front' } });
  });

  it('comes back from each version to what it was', () => {
    for (const [object, other] of [
      [old, newVersion],
      [website, oldVersion],
    ] as const)
      assert.deepEqual(convert(convert(object, other), object.apiVersion ?? ''), object);
  });

  it('keeps the front page of the old version when it was changed there', () => {
    const changed = convert(website, oldVersion) as WebsiteV1alpha1;
    const back = convert({ ...changed, spec: { ...changed.spec, html: 'other' } } as WebsiteV1alpha1, newVersion) as Website;
    assert.deepEqual(back.spec.pages, { 'index.html': 'other', 'more.html': 'more' });
  });

  for (const text of ['{', '[]', 'null', '{"a":1}'])
    it(`refuses ${text} as the pages that an annotation keeps`, () => {
      const objects = [{ ...old, metadata: { name: 'a', annotations: { [pagesAnnotation]: text } } }];
      assert.deepEqual(answerConversion({ request: { uid: 'u', desiredAPIVersion: newVersion, objects } }), {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        response: {
          uid: 'u',
          result: { status: 'Failure', message: `website a: the annotation ${pagesAnnotation} is not an object of strings` },
        },
      });
    });
});
