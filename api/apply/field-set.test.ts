import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as sets from './field-set.ts';
import { comparePathElements, formatPathElement, keyElement, parsePathElement } from './path-element.ts';

const set = (text: string) => sets.parseFieldSet(JSON.parse(text));
/** The paths as sorted text: the meaning of a set, whatever the shape of its tree. */
const paths = (fields: sets.FieldSet) => new Set([...sets.pathsOf(fields)].map((path) => path.join(' ')));

describe('field sets', () => {
  const name = fc.constantFrom('f:a', 'f:b', 'f:c', 'k:{"n":1}', 'v:"x"');
  const anySet = fc.array(fc.array(name, { minLength: 1, maxLength: 3 }), { maxLength: 8 }).map((list) => sets.fieldSetOf(...list));

  it('mean what sets of paths mean', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        assert.deepEqual(paths(sets.union(a, b)), paths(a).union(paths(b)));
        assert.deepEqual(paths(sets.intersection(a, b)), paths(a).intersection(paths(b)));
        assert.deepEqual(paths(sets.difference(a, b)), paths(a).difference(paths(b)));
        const below = [...paths(b)];
        const kept = [...paths(a)].filter((path) => !below.some((other) => path === other || path.startsWith(`${other} `)));
        assert.deepEqual(paths(sets.recursiveDifference(a, b)), new Set(kept));
      }),
    );
  });

  it('have one canonical form, which operations keep', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        for (const result of [sets.union(a, b), sets.intersection(a, b), sets.difference(a, b), sets.recursiveDifference(a, b)]) {
          assert.equal(JSON.stringify(sets.parseFieldSet(result)), JSON.stringify(result));
          assert.equal(JSON.stringify(sets.sortSet(result)), JSON.stringify(result));
        }
        assert.equal(sets.difference(a, sets.emptySet), a);
        assert.equal(sets.union(a, a), a);
      }),
    );
  });

  it('are read from what clients send', () => {
    assert.equal(
      JSON.stringify(set('{"f:b":{},"k:{\\"b\\":1, \\"a\\":\\"x\\"}":{"f:y":{},".":{}},"x:unknown":{},"f:a":{}}')),
      '{"f:a":{},"f:b":{},"k:{\\"a\\":\\"x\\",\\"b\\":1}":{".":{},"f:y":{}}}',
    );
    assert.throws(() => set('{"a":{}}'));
    assert.throws(() => set('{"ab":{}}'));
    assert.throws(() => set('{"f:a":1}'));
    assert.throws(() => set('{"k:{":{}}'));
  });

  it('remove a field and leave what is below it', () => {
    assert.deepEqual(sets.difference(set('{"f:a":{".":{},"f:b":{}}}'), set('{"f:a":{}}')), { 'f:a': { 'f:b': {} } });
    assert.deepEqual(sets.difference(set('{"f:a":{".":{},"f:b":{}}}'), set('{"f:a":{"f:b":{}}}')), { 'f:a': {} });
    assert.deepEqual(sets.recursiveDifference(set('{"f:a":{".":{},"f:b":{}},"f:c":{}}'), set('{"f:a":{}}')), { 'f:c': {} });
  });
});

describe('path elements', () => {
  it('order numbers as numbers', () => {
    const elements = ['v:"x"', 'k:{"p":443}', 'i:2', 'k:{"p":80}', 'f:b', '.', 'f:a', 'i:10'];
    assert.deepEqual(elements.toSorted(comparePathElements), ['.', 'f:a', 'f:b', 'k:{"p":80}', 'k:{"p":443}', 'v:"x"', 'i:2', 'i:10']);
  });
  it('are shown in messages', () => {
    assert.equal(formatPathElement('f:spec'), '.spec');
    assert.equal(formatPathElement('k:{"containerPort":80,"protocol":"TCP"}'), '[containerPort=80,protocol="TCP"]');
    assert.equal(formatPathElement('v:"a/b"'), '[="a/b"]');
    assert.equal(formatPathElement('i:3'), '[3]');
  });
  it('escape as Go does', () => {
    assert.equal(keyElement([['name', 'a<"b']]), 'k:{"name":"a\\u003c\\"b"}');
    assert.equal(parsePathElement('k:{"name":"a<"}'), 'k:{"name":"a\\u003c"}');
  });
});
