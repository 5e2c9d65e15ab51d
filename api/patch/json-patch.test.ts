import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import { applyJSONPatch } from './json-patch.ts';
import { PatchError } from './patch-error.ts';

interface SuiteCase {
  readonly comment?: string;
  readonly doc: unknown;
  readonly patch: unknown;
  readonly expected?: unknown;
  readonly error?: string;
  readonly disabled?: boolean;
}

/** The cases in which upstream's library is known to differ from the RFC, and this one with it. */
const lenient: ReadonlySet<string> = new Set([
  'Out of bounds (lower)',
  'replacing the root of the document is possible with add',
  "missing 'value' parameter",
]);

const require = createRequire(import.meta.url);

describe('JSON patch', () => {
  for (const file of ['tests.json', 'spec_tests.json']) {
    const cases = JSON.parse(readFileSync(require.resolve(`json-patch-test-suite/${file}`), 'utf8')) as SuiteCase[];
    for (const [index, { comment, doc, patch, expected, error, disabled }] of cases.entries()) {
      if (disabled || lenient.has(comment ?? '') || lenient.has(error ?? '')) continue;
      it(`${file} ${index}: ${comment ?? error}`, () => {
        deepFreeze([doc, patch]);
        if (error !== undefined) assert.throws(() => applyJSONPatch(doc, patch), PatchError);
        else assert.deepEqual(applyJSONPatch(doc, patch), expected ?? doc);
      });
    }
  }

  const upstream: [string, unknown, unknown[], unknown][] = [
    ['replace adds a missing member', {}, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }],
    ['replace of the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['an absent value is null', {}, [{ op: 'add', path: '/a' }], { a: null }],
    ['indexes from the end', { a: [1, 2] }, [{ op: 'remove', path: '/a/-1' }], { a: [1] }],
    ['an absent member equals null', {}, [{ op: 'test', path: '/a', value: null }], {}],
    ['escapes', { 'a/b': { '~': 1 } }, [{ op: 'remove', path: '/a~1b/~0' }], { 'a/b': {} }],
    [
      'a copy is independent',
      { a: { x: [] } },
      [
        { op: 'add', path: '/a/x/-', value: 1 },
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'add', path: '/a/x/-', value: 2 },
      ],
      { a: { x: [1, 2] }, b: { x: [1] } },
    ],
    [
      'a patch value is not modified by later operations',
      {},
      [
        { op: 'add', path: '/a', value: { x: [] } },
        { op: 'add', path: '/a/x/-', value: 1 },
      ],
      { a: { x: [1] } },
    ],
  ];
  for (const [name, doc, patch, expected] of upstream) {
    it(name, () => assert.deepEqual(applyJSONPatch(deepFreeze(doc), deepFreeze(patch)), expected));
  }

  it('takes __proto__ and constructor as data', () => {
    const doc = JSON.parse('{"__proto__":{"a":1}}') as unknown;
    const patched = applyJSONPatch(deepFreeze(doc), [
      { op: 'add', path: '/__proto__/b', value: 2 },
      { op: 'add', path: '/constructor', value: { prototype: 1 } },
    ]);
    assert.equal(JSON.stringify(patched), '{"__proto__":{"a":1,"b":2},"constructor":{"prototype":1}}');
    assert.equal(Object.hasOwn(Object.prototype, 'b'), false);
    assert.throws(() => applyJSONPatch({}, [{ op: 'add', path: '/__proto__/b', value: 2 }]), PatchError);
    assert.throws(() => applyJSONPatch({}, [{ op: 'remove', path: '/toString' }]), PatchError);
  });

  it('shares what it did not change', () => {
    const doc = { a: { b: 1 }, c: { d: 2 } };
    const patched = applyJSONPatch(doc, [{ op: 'replace', path: '/c/d', value: 3 }]) as typeof doc;
    assert.equal(patched.a, doc.a);
    assert.deepEqual(doc, { a: { b: 1 }, c: { d: 2 } });
  });

  const refused: [string, unknown, string][] = [
    ['no list', {}, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    ['no operation', ['x'], 'json: cannot unmarshal string into Go value of type jsonpatch.Operation'],
    ['unknown kind', [{ op: 'spam', path: '/a' }], 'Unexpected kind: spam'],
    ['missing path', [{ op: 'add', value: 1 }], 'add operation failed to decode path: missing value'],
    ['failed test', [{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed'],
  ];
  for (const [name, patch, message] of refused)
    it(`refuses ${name}`, () => assert.throws(() => applyJSONPatch({ a: 1 }, patch), { message }));

  it('limits operations and what they copy', () => {
    const noop = { op: 'test', path: '/b', value: null };
    assert.throws(
      () =>
        applyJSONPatch(
          {},
          Array.from({ length: 10_001 }, () => noop),
        ),
      {
        reason: 'too-large',
        message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
      },
    );
    const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '', path: '/a/-' }));
    assert.throws(
      () =>
        applyJSONPatch(
          { a: ['x'] },
          doubling.map((operation) => ({ ...operation, from: '/a' })),
        ),
      {
        reason: 'unfit',
        message: /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
      },
    );
  });
});
