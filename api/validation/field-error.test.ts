import assert from 'node:assert/strict';
import * as fieldErrors from './field-error.ts';
import { FieldPath } from './field-path.ts';

describe('FieldPath', () => {
  it('formats children, indexes and keys', () => {
    const { root } = FieldPath;
    assert.equal(root.toString(), '<nil>');
    assert.equal(root.child('spec', 'containers').index(0).child('name').toString(), 'spec.containers[0].name');
    assert.equal(root.child('metadata', 'labels').key('app').toString(), 'metadata.labels[app]');
    assert.equal(root.index(3).toString(), '[3]');
  });
});

describe('field errors', () => {
  const at = FieldPath.root.child('f');
  const cases: [fieldErrors.FieldError, string][] = [
    [fieldErrors.required(at), 'f: Required value'],
    [fieldErrors.required(at, 'why'), 'f: Required value: why'],
    [fieldErrors.invalid(at, 'a"b\n', 'no'), 'f: Invalid value: "a\\"b\\n": no'],
    [fieldErrors.invalid(at, 0, 'no'), 'f: Invalid value: 0: no'],
    [fieldErrors.invalid(at, undefined, 'no'), 'f: Invalid value: null: no'],
    [fieldErrors.invalid(at, { a: '<' }, 'no'), 'f: Invalid value: {"a":"\\u003c"}: no'],
    [fieldErrors.notSupported(at, 'x', ['a', 'b']), 'f: Unsupported value: "x": supported values: "a", "b"'],
    [fieldErrors.duplicate(at, 'x'), 'f: Duplicate value: "x"'],
    [fieldErrors.forbidden(at, 'no'), 'f: Forbidden: no'],
    [fieldErrors.tooLong(at, 63), 'f: Too long: may not be more than 63 bytes'],
    [fieldErrors.tooMany(at, 12, 10), 'f: Too many: 12: must have at most 10 items'],
    [fieldErrors.tooMany(at, -1, 1), 'f: Too many: must have at most 1 item'],
    [fieldErrors.notFound(at, 'x'), 'f: Not found: "x"'],
    [fieldErrors.internal(at, 'x'), 'f: Internal error: x'],
  ];
  it('shows the first thousand of many, and how many there are besides', () => {
    const errors = Array.from({ length: 1003 }, (_, index) => fieldErrors.required(at.index(index)));
    const text = fieldErrors.formatFieldErrors(errors);
    assert.match(text, /^\[f\[0\]: Required value, .*f\[999\]: Required value, and 3 more errors\]$/);
  });
  it('shows no more than the first of values that are very large', () => {
    const errors = Array.from({ length: 5 }, (_, index) => fieldErrors.invalid(at.index(index), 'x'.repeat(300_000), 'no'));
    assert.match(fieldErrors.formatFieldErrors(errors), /^\[f\[0\]: Invalid value: "x{300000}": no, and 4 more errors\]$/);
  });

  for (const [error, expected] of cases) it(expected, () => assert.equal(fieldErrors.formatFieldError(error), expected));
});
