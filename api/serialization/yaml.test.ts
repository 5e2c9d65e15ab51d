import assert from 'node:assert/strict';
import { formatYAML, parseYAML, YAMLSyntaxError } from './yaml.ts';

describe('parseYAML', () => {
  const scalars: [string, unknown][] = [
    ['yes', true],
    ['on', true],
    ['Off', false],
    ['y', true],
    ['~', null],
    ['', null],
    ['Null', null],
    ['0644', 420],
    ['0o644', 420],
    ['08', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['-0x10', -16],
    ['1_000', 1000],
    ['12:30:45', '12:30:45'],
    ['2025-01-02', '2025-01-02'],
    ['2025-01-02T03:04:05Z', '2025-01-02T03:04:05Z'],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1e400', '1e400'],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['9223372036854775807', 9223372036854775807n],
    ['99999999999999999999', 1e20],
    ['"yes"', 'yes'],
    ["'0644'", '0644'],
    ['<<', '<<'],
    ['!!str 12', '12'],
    ['!!int "12"', 12],
    ['!!float 12', 12],
    ['=', '='],
    ['-', [null]],
  ];
  for (const [text, expected] of scalars) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseYAML(`a: ${text === '-' ? '\n-' : text}\n`).value, { a: expected }));
  }

  it('turns keys into strings', () => assert.deepEqual(parseYAML('1: a\ntrue: b\n0644: c\n').value, { 1: 'a', true: 'b', 420: 'c' }));

  it('merges and writes aliases out', () => {
    const { value } = parseYAML('base: &b {x: 1, w: {z: 2}}\nfirst: {<<: *b, x: 3}\nsecond: *b\n');
    assert.deepEqual(value, { base: { x: 1, w: { z: 2 } }, first: { x: 3, w: { z: 2 } }, second: { x: 1, w: { z: 2 } } });
    const { base, second } = value as { base: object; second: object };
    assert.notEqual(base, second);
  });

  it('reads the first document, and none as null', () => {
    assert.deepEqual(parseYAML('a: 1\n---\nb: 2\n').value, { a: 1 });
    assert.equal(parseYAML('').value, null);
    assert.equal(parseYAML('# nothing\n').value, null);
  });

  const firstDocuments: [text: string, value: unknown][] = [
    ['a: 1\n---\n{ [ no YAML', { a: 1 }],
    ['a: 1\n...\n\t{', { a: 1 }],
    ['# c\n\n%YAML 1.1\n---\na: 1\n--- \nb: 2', { a: 1 }],
    ['--- {a: 1}\n---\nb', { a: 1 }],
    ['---\r\na: 1\r\n---\r\nb: 2\r\n', { a: 1 }],
    ['a: |\n  x\n  ---\n  y\n', { a: 'x\n---\ny\n' }],
    ['a: ---b\n---c: 1\n', { a: '---b', '---c': 1 }],
    ['---\n---\na: 1', null],
  ];
  for (const [text, value] of firstDocuments)
    it(`reads no more than the first document of ${JSON.stringify(text)}`, () => assert.deepEqual(parseYAML(text).value, value));

  it('has no special keys', () => {
    const { value } = parseYAML('__proto__: {polluted: 1}\nconstructor: x\n');
    assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
    assert.equal((value as { polluted?: number }).polluted, undefined);
  });

  it('tells of repeated keys, of which the last counts', () => {
    const text = 'a:\n  b: 1\n  c: 2\n  b: 3\n';
    assert.deepEqual(parseYAML(text, { findDuplicates: true }), {
      value: { a: { b: 3, c: 2 } },
      duplicateProblem: 'yaml: unmarshal errors:\n  line 4: key "b" already set in map',
    });
    assert.deepEqual(parseYAML(text), { value: { a: { b: 3, c: 2 } } });
    for (const [flow, key] of [
      ['a: {x: 1, y: 2, x: 3}', 'x'],
      [`{"a": 1, 'b': 2, "a": 3}`, 'a'],
      ['- c: 1\n  c: 2', 'c'],
    ] as const)
      assert.match(parseYAML(flow, { findDuplicates: true }).duplicateProblem ?? '', new RegExp(`line \\d: key "${key}" already`));
    assert.equal(parseYAML('a: &x {b: 1}\nc: {<<: *x, b: 2}\n', { findDuplicates: true }).duplicateProblem, undefined);
  });

  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x, x]',
    ...[...'bcdefghi'].map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]}, `.repeat(9)}*${'abcdefgh'[index]}]`),
  ].join('\n');
  const refused: [string, string, RegExp][] = [
    ['an alias bomb', bomb, /excessive aliasing/],
    ['many aliases', `a: &a 1\nb: [${'*a,'.repeat(2000)}]`, /^yaml: /],
    ['a value within itself', 'a: &a [*a]', /^yaml: /],
    ['deep nesting', `${'['.repeat(200)}${']'.repeat(200)}`, /^yaml: line 1: /],
    ['endless opening', '['.repeat(100_000), /^yaml: line 1: /],
    ['a tab for indentation', 'a:\n\t- b', /^yaml: line 2: /],
    ['a mapping within a scalar', 'a: b: c', /^yaml: line 1: /],
    ['what JSON cannot say', 'a: .inf', /^json: unsupported value: \+Inf$/],
  ];
  for (const [name, text, message] of refused) {
    it(`refuses ${name}`, () =>
      assert.throws(
        () => parseYAML(text),
        (error) => error instanceof YAMLSyntaxError && message.test(error.message),
      ));
  }
});

describe('formatYAML', () => {
  it('sorts keys, does not indent lists, and quotes what would read as something else', () => {
    const value = {
      spec: { b: ['x', 'yes', '0644', '1e3', '12:30', 'on'], a: 9223372036854775807n, n: null, m: {}, l: [], t: 'two\nlines\n' },
      kind: 'Pod',
      apiVersion: 'v1',
    };
    const text = formatYAML(value);
    assert.match(
      text,
      /^apiVersion: v1\nkind: Pod\nspec:\n {2}a: 9223372036854775807\n {2}b:\n {2}- x\n {2}- "yes"\n {2}- "0644"\n {2}- "1e3"\n/,
    );
    assert.deepEqual(parseYAML(text).value, value);
  });
});
