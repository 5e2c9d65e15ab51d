import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJSON, stringifyJSON } from './json.ts';
import { JSONSyntaxError } from './json-parser.ts';
import { formatJSON } from '../base/format-json.ts';

describe('parseJSON', () => {
  const errors: [string, string][] = [
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['tru', 'unexpected end of JSON input'],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['1 2', "invalid character '2' after top-level value"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['\uFEFF{}', "invalid character '\uFEFF' looking for beginning of value"],
  ];
  for (const [text, message] of errors) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseJSON(new TextEncoder().encode(text)), new JSONSyntaxError(message)));
  }

  it('refuses deep nesting without a stack overflow', () => {
    assert.throws(() => parseJSON('['.repeat(3_000_000)), new JSONSyntaxError('exceeded max depth'));
    assert.throws(() => parseJSON(`${'{"a":'.repeat(10_001)}1${'}'.repeat(10_001)}`), new JSONSyntaxError('exceeded max depth'));
    assert.throws(() => parseJSON('[[[1]]]', { maxDepth: 2 }), new JSONSyntaxError('exceeded max depth'));
    assert.deepEqual(parseJSON('[[[1]]]', { maxDepth: 3 }).value, [[[1]]]);
  });

  it('finds repeated members, of which the last counts', () => {
    const text = '{"a":1,"b":{"c":[{"d":1,"d":2}]},"a":{"x":":"},"b":{"c":[{"d":1,"d":3}]}}';
    assert.deepEqual(parseJSON(text, { findDuplicates: true }), {
      value: { a: { x: ':' }, b: { c: [{ d: 3 }] } },
      duplicateFields: ['b.c[0].d', 'a', 'b'],
    });
    assert.deepEqual(parseJSON(text).duplicateFields, []);
    assert.deepEqual(parseJSON('{"a":"\\":{","b":[{},{"c":":"}]}', { findDuplicates: true }).duplicateFields, []);
  });

  it('keeps integers that a double cannot hold', () => {
    const text =
      '{"big":9223372036854775807,"small":-9007199254740993,"exact":9007199254740991,"real":1234567890123456.5,"text":"1234567890123456789"}';
    const { value } = parseJSON(text);
    assert.deepEqual(value, {
      big: 9223372036854775807n,
      small: -9007199254740993n,
      exact: 9007199254740991,
      real: 1234567890123456.5,
      text: '1234567890123456789',
    });
    assert.equal(formatJSON(value), text);
  });

  it('replaces what is no Unicode text as Go does', () => {
    assert.equal(parseJSON('"\\ud800x"').value, '\uFFFDx');
    assert.equal(parseJSON('"\\ud83d\\ude00"').value, '😀');
    assert.equal(parseJSON(Uint8Array.of(0x22, 0xff, 0x61, 0x22)).value, '\uFFFDa');
  });

  it('has no special members', () => {
    const { value } = parseJSON('{"__proto__":{"polluted":1},"n":12345678901234567890}');
    assert.equal(Object.hasOwn(value as object, '__proto__'), true);
    assert.equal((value as { polluted?: number }).polluted, undefined);
  });

  it('reads every JSON text as JSON.parse does, on both paths', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(toNumbers(parseJSON(text, { findDuplicates: true }).value), JSON.parse(text));
        const long = parseJSON(`[12345678901234567890,${text}]`).value as unknown[];
        assert.deepEqual(toNumbers(long[1]), JSON.parse(text));
      }),
    );
  });

  it('writes bytes that read back equal', () => {
    assert.deepEqual(parseJSON(stringifyJSON({ a: 'ä', n: 2n ** 63n - 1n })).value, { a: 'ä', n: 9223372036854775807n });
  });
});

function toNumbers(value: unknown): unknown {
  return JSON.parse(formatJSON(value));
}
