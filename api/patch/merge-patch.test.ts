import assert from 'node:assert/strict';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import { applyMergePatch } from './merge-patch.ts';
import { patchObject } from './patch-object.ts';

describe('merge patch', () => {
  // RFC 7386, appendix A, as far as objects go.
  const cases: [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{}, { a: [{ b: null, c: 1 }] }, { a: [{ c: 1 }] }],
  ];
  for (const [object, patch, expected] of cases) {
    it(`${JSON.stringify(object)} + ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(applyMergePatch(deepFreeze(object), deepFreeze(patch)), expected);
    });
  }
  it('takes __proto__ as data', () => {
    const patch = JSON.parse('{"__proto__":{"polluted":true}}') as unknown;
    assert.equal(JSON.stringify(applyMergePatch({}, patch)), '{"__proto__":{"polluted":true}}');
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });
  it('answers as upstream', () => {
    const type = 'application/merge-patch+json';
    assert.throws(() => patchObject({ type, object: {}, patch: [], schema: undefined }), { code: 400, message: 'Invalid JSON Patch' });
    assert.throws(
      () => patchObject({ type: 'application/json-patch+json', object: {}, patch: [{ op: 'remove', path: '/a' }], schema: undefined }),
      {
        code: 422,
        message: 'the server rejected our request due to an error in our request',
      },
    );
    assert.throws(() => patchObject({ type: 'application/strategic-merge-patch+json', object: {}, patch: {}, schema: undefined }), {
      code: 400,
      message: 'strategic merge patch format is not supported',
    });
  });
});
